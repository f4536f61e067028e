package io.github.wordpressha.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The commands of a document, run as a person runs them who has read it: in one directory, with the names of this release. */
record Manual(Release release, Path document, Path directory) {

    private static final String NAMESPACE_IN_DOCUMENTS = "-n blog ";

    Manual(Release release, String document) {
        this(release, Path.of(document), temporary());
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("manual");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The commands below the paragraph that ends with these words, without those of helm, which the test runs by its own way. */
    List<String> commandsBelow(String words) {
        List<String> commands = lines().stream()
            .dropWhile(line -> !line.endsWith(words)).skip(1)
            .dropWhile(String::isBlank)
            .takeWhile(line -> line.startsWith("    "))
            .map(String::strip)
            .filter(line -> !line.startsWith("helm "))
            .map(line -> line.replace(NAMESPACE_IN_DOCUMENTS, "-n " + release.namespace() + " "))
            .toList();
        if (commands.isEmpty()) {
            throw new IllegalStateException(document + " has no commands below \"" + words + "\"");
        }
        return commands;
    }

    /** The first values below a heading, or below the paragraph that ends with these words. */
    String valuesBelow(String words) {
        List<String> values = lines().stream()
            .dropWhile(line -> !line.endsWith(words)).skip(1)
            .dropWhile(line -> !line.startsWith("    "))
            .takeWhile(line -> line.startsWith("    "))
            .toList();
        if (values.isEmpty()) {
            throw new IllegalStateException(document + " has no values below \"" + words + "\"");
        }
        return String.join("\n", values).stripIndent();
    }

    /** Runs these commands one after another; fails with the first that does. */
    void follow(String words) {
        commandsBelow(words).forEach(command -> System.out.println(command + "\n" + run(command)));
    }

    /** What a command prints. */
    String run(String command) {
        try {
            var builder = new ProcessBuilder("bash", "-o", "pipefail", "-c", command).directory(directory.toFile()).redirectErrorStream(true);
            builder.environment().put("KUBECONFIG", release.cluster().kubeconfig().toString());
            Process process = builder.start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(command + " failed: " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private List<String> lines() {
        try {
            return Files.readAllLines(document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
