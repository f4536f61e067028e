package io.github.wordpressha.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What tests measured, for people: on the console, and in {@code target/figures.txt}. */
final class Figures {

    private static final Path FILE = Path.of("target", "figures.txt");

    private Figures() {
    }

    /** Records one line: {@code figure <test>/<what> <name>=<value with unit>...}. */
    static synchronized void record(String line) {
        String figure = "figure " + line;
        System.out.println(figure);
        try {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, figure + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
