package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.ANY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a newcomer runs first: {@code ci/demo}. */
@Tag("demo")
@Tag("cluster")
@OnCluster(ANY)
class DemoIT {

    private static final Duration PATIENCE = Duration.ofMinutes(12);
    private static final String NAMESPACE = "wordpress-ha-demo";
    private static final Pattern ACCESS = Pattern.compile("address +(http://[0-9.:]+)\\s+user +(\\S+)\\s+password +(\\S+)");

    private final ClusterUnderTest cluster;

    DemoIT(ClusterUnderTest cluster) {
        this.cluster = cluster;
        for (String program : List.of("helm", "kubectl")) {
            assumeTrue(Programs.onPath(program), "no " + program + " on the PATH");
        }
    }

    @Test
    @DisplayName("ci/demo minimal prints an address where its user logs in, and ci/demo down leaves nothing")
    void comesAndGoes() throws Exception {
        Instant start = Instant.now();
        try {
            String said = run("minimal");
            Matcher access = ACCESS.matcher(said);
            assertThat(access.find()).as(said).isTrue();
            Site site = Site.at(URI.create(access.group(1)));
            site.get("/").expect(200);
            site.logIn(access.group(2), access.group(3));
            Figures.record("demo/minimal took=" + Gaps.seconds(Duration.between(start, Instant.now())));
        } finally {
            run("down");
        }
        assertThat(cluster.client().namespaces().withName(NAMESPACE).get()).isNull();
    }

    private String run(String argument) throws IOException, InterruptedException {
        return Programs.run(Map.of("KUBECONFIG", cluster.kubeconfig().toString()), PATIENCE, "ci/demo", argument);
    }
}
