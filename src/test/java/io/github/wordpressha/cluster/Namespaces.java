package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.List;
import org.awaitility.core.ConditionTimeoutException;

/** Namespaces of tests, of which nothing is to be kept. */
final class Namespaces {

    private Namespaces() {}

    /** Has a namespace removed; no pod in it gets time to end. */
    static void delete(KubernetesClient client, String namespace) {
        client.namespaces().withName(namespace).delete();
        client.pods().inNamespace(namespace).withGracePeriod(1).delete();
    }

    /** Removes a namespace, and waits until it is gone. */
    static void remove(KubernetesClient client, String namespace, Duration atMost) {
        delete(client, namespace);
        try {
            awaitNoPods(client, namespace, atMost);
        } catch (ConditionTimeoutException e) {
            // Killed minutes ago: a node that does not see their processes end says nothing about what the test has shown. ci/test says what the node knows.
            Figures.record("cluster/pods-that-do-not-end " + String.join(" ", names(client, namespace)));
            client.pods().inNamespace(namespace).withGracePeriod(0).delete();
            awaitNoPods(client, namespace, atMost);
        }
        lookAgain(client, namespace);
        Await.until("namespace " + namespace + " is gone", atMost,
            () -> assertThat(client.namespaces().withName(namespace).get()).isNull());
    }

    private static void awaitNoPods(KubernetesClient client, String namespace, Duration atMost) {
        Await.until("the pods of " + namespace + " are gone", atMost, () -> assertThat(names(client, namespace)).isEmpty());
    }

    private static List<String> names(KubernetesClient client, String namespace) {
        return Release.names(client.pods().inNamespace(namespace).list().getItems());
    }

    /**
     * Where pods still run when the namespace's controller looks for the first time, it looks again only after half of their
     * grace period, which is minutes for a database. Any change of the namespace makes it look within seconds.
     */
    private static void lookAgain(KubernetesClient client, String namespace) {
        if (client.namespaces().withName(namespace).get() != null) {
            client.namespaces().withName(namespace).patch(PatchContext.of(PatchType.JSON_MERGE),
                "{\"metadata\": {\"annotations\": {\"test/pods\": \"gone\"}}}");
        }
    }
}
