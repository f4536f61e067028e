package io.github.wordpressha.cluster;

import com.marcnuri.helm.InstallCommand;
import com.marcnuri.helm.UpgradeCommand;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/** The Helm SDK, in process. */
record HelmLibrary(Path chart, Path kubeconfig) implements Helm {

    @Override
    public String install(String name, String namespace, List<Path> values, Duration timeout) {
        return run(() -> installCommand(name, namespace, values, timeout).call().getOutput());
    }

    @Override
    public String installAndWait(String name, String namespace, List<Path> values, Duration timeout) {
        return run(() -> installCommand(name, namespace, values, timeout).waitReady().call().getOutput());
    }

    private InstallCommand installCommand(String name, String namespace, List<Path> values, Duration timeout) {
        InstallCommand command = new com.marcnuri.helm.Helm(chart).install()
            .withName(name).withNamespace(namespace).withKubeConfig(kubeconfig).withTimeout((int) timeout.toSeconds());
        values.forEach(command::withValuesFile);
        return command;
    }

    @Override
    public String upgrade(String name, String namespace, List<Path> values, Duration timeout) {
        return run(() -> {
            UpgradeCommand command = new com.marcnuri.helm.Helm(chart).upgrade()
                .withName(name).withNamespace(namespace).withKubeConfig(kubeconfig).withTimeout((int) timeout.toSeconds());
            values.forEach(command::withValuesFile);
            return command.call().getOutput();
        });
    }

    @Override
    public void test(String name, String namespace, Duration timeout) {
        run(() -> com.marcnuri.helm.Helm.test(name)
            .withNamespace(namespace).withKubeConfig(kubeconfig).withTimeout((int) timeout.toSeconds()).call());
    }

    @Override
    public void uninstall(String name, String namespace, Duration timeout) {
        run(() -> com.marcnuri.helm.Helm.uninstall(name)
            .withNamespace(namespace).withKubeConfig(kubeconfig).ignoreNotFound().call());
    }

    private static <T> T run(Callable<T> command) {
        try {
            return command.call();
        } catch (Exception e) {
            throw new HelmFailed(e.getMessage(), e);
        }
    }
}
