package io.github.wordpressha.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The {@code helm} program. */
record HelmProgram(Path chart, Path kubeconfig) implements Helm {

    @Override
    public String install(String name, String namespace, List<Path> values, Duration timeout) {
        return helm(withChart("install", name, namespace, values, timeout));
    }

    @Override
    public String installAndWait(String name, String namespace, List<Path> values, Duration timeout) {
        List<String> command = withChart("install", name, namespace, values, timeout);
        command.add("--wait");
        return helm(command);
    }

    @Override
    public String upgrade(String name, String namespace, List<Path> values, Duration timeout) {
        return helm(withChart("upgrade", name, namespace, values, timeout));
    }

    @Override
    public void test(String name, String namespace, Duration timeout) {
        helm(List.of("test", name, "--namespace", namespace, "--logs", "--timeout", seconds(timeout)));
    }

    @Override
    public void uninstall(String name, String namespace, Duration timeout) {
        helm(List.of("uninstall", name, "--namespace", namespace, "--ignore-not-found", "--wait", "--timeout", seconds(timeout)));
    }

    private List<String> withChart(String verb, String name, String namespace, List<Path> values, Duration timeout) {
        var command = new ArrayList<>(List.of(verb, name, chart.toString(), "--namespace", namespace, "--timeout", seconds(timeout)));
        values.forEach(file -> command.addAll(List.of("--values", file.toString())));
        return command;
    }

    private String helm(List<String> arguments) {
        var command = new ArrayList<>(List.of("helm", "--kubeconfig", kubeconfig.toString()));
        command.addAll(arguments);
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new HelmFailed(output, null);
            }
            return output;
        } catch (IOException e) {
            throw new HelmFailed("helm could not be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HelmFailed("helm was interrupted", e);
        }
    }

    private static String seconds(Duration duration) {
        return duration.toSeconds() + "s";
    }
}
