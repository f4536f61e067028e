package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.assertj.core.api.Assertions;

/** An NFS server that a platform team has: not of the chart, with two directories for a site, each owned by who writes to it. */
record FileServer(KubernetesClient client, String namespace) {

    static final String CONTENT = "/exports/content";
    static final String DATABASE = "/exports/mysql-0";

    private static final String OBJECTS = """
        apiVersion: v1
        kind: Service
        metadata: {name: files}
        spec:
          selector: {app: files}
          ports:
            - {name: nfs, port: 2049}
            - {name: mountd, port: 20048}
            - {name: rpcbind, port: 111}
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: files}
        spec:
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 3Gi}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: files, labels: {app: files}}
        spec:
          terminationGracePeriodSeconds: 1
          initContainers:
            - name: directories
              image: registry.k8s.io/volume-nfs:0.8
              command: [bash, -c, "mkdir -p %1$s %2$s; chown 33:33 %1$s; chown 999:999 %2$s"]
              volumeMounts: [{name: files, mountPath: /exports}]
          containers:
            - name: server
              image: registry.k8s.io/volume-nfs:0.8
              securityContext: {privileged: true}
              readinessProbe: {tcpSocket: {port: 2049}, periodSeconds: 1}
              volumeMounts: [{name: files, mountPath: /exports}]
          volumes:
            - {name: files, persistentVolumeClaim: {claimName: files}}
        """.formatted(CONTENT, DATABASE);

    /** Starts it, and returns the address that nodes reach it at. */
    String start() {
        client.load(new ByteArrayInputStream(OBJECTS.getBytes(StandardCharsets.UTF_8))).inNamespace(namespace).create();
        return client.services().inNamespace(namespace).withName("files").require().getSpec().getClusterIP();
    }

    void awaitReady() {
        Await.until("the file server is ready", Duration.ofMinutes(2), () -> Assertions.assertThat(
            client.pods().inNamespace(namespace).withName("files").isReady()).isTrue());
    }
}
