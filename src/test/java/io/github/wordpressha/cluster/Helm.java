package io.github.wordpressha.cluster;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** The Helm commands that tests run: the {@code helm} program where PATH has one, else the Helm SDK in helm-java. */
interface Helm {

    /**
     * Installs the chart, without waiting for more than its hooks.
     *
     * @return what Helm printed, with the chart's notes
     * @throws HelmFailed with Helm's own words
     */
    String install(String name, String namespace, List<Path> values, Duration timeout);

    /** As {@link #install} with {@code --wait}: fails when not all is ready in time. */
    String installAndWait(String name, String namespace, List<Path> values, Duration timeout);

    /** As {@link #install}, over an installed release. */
    String upgrade(String name, String namespace, List<Path> values, Duration timeout);

    /** Runs the chart's test pods. */
    void test(String name, String namespace, Duration timeout);

    /** Uninstalls the release; nothing happens where there is none. */
    void uninstall(String name, String namespace, Duration timeout);

    static Helm of(Path chart, Path kubeconfig) {
        boolean onPath = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, "helm")));
        return onPath ? new HelmProgram(chart, kubeconfig) : new HelmLibrary(chart, kubeconfig);
    }

    /** Helm refused or failed. */
    final class HelmFailed extends IllegalStateException {
        private static final long serialVersionUID = 1;

        HelmFailed(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
