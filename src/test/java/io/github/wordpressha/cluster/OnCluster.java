package io.github.wordpressha.cluster;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that installs the packaged chart on a cluster. Its constructor may take a {@link ClusterUnderTest} and a
 * {@link Release}. Where no such cluster can be had, the class is skipped with the reason.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ClusterExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@interface OnCluster {

    /** What the tests need. */
    Needs value();

    /** Kinds of cluster. */
    enum Needs {
        /** The cluster of KUBECONFIG, else k3s. */
        ANY,
        /** k3s in Docker: one node, what a contributor with Docker alone has. */
        K3S,
        /** The cluster of KUBECONFIG with three nodes or more, and CLUSTER, the tool that breaks them. */
        THREE_NODES
    }
}
