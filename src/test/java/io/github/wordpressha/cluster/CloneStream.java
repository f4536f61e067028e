package io.github.wordpressha.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The connections over which pods of one node take or give clones, seen from the node, which forwards every packet. Healing the node undoes all of this. */
record CloneStream(Nodes nodes, String node) {

    private static final int PORT = 4444;
    /** Every rule has this comment: it is what "heal" looks for. */
    private static final String COMMENT = "testbed-cut";
    private static final Pattern PACKETS_AND_BYTES = Pattern.compile("\\[(\\d+):(\\d+)] .*" + COMMENT + "-(\\S+)");

    /** Counts bytes from now on. */
    void measure() {
        rule("-I", List.of("--sport", String.valueOf(PORT), "-m", "comment", "--comment", COMMENT + "-measured"));
    }

    /** The bytes that came from donors since {@link #measure}. */
    long bytes() {
        return counter("measured", 2);
    }

    /** Resets every connection that has carried so many bytes, until {@link #mend}. */
    void cutAfter(long bytes) {
        each("-I", bytes);
    }

    /** Whether a connection was reset after so many bytes. */
    boolean hasCut(long bytes) {
        return counter(String.valueOf(bytes), 1) > 0;
    }

    /** Undoes {@link #cutAfter}. */
    void mend(long bytes) {
        each("-D", bytes);
    }

    private void each(String action, long bytes) {
        for (String direction : List.of("--sport", "--dport")) {
            rule(action, List.of(direction, String.valueOf(PORT),
                "-m", "connbytes", "--connbytes", bytes + ":", "--connbytes-dir", "both", "--connbytes-mode", "bytes",
                "-m", "comment", "--comment", COMMENT + "-" + bytes, "-j", "REJECT", "--reject-with", "tcp-reset"));
        }
    }

    private void rule(String action, List<String> match) {
        var command = new ArrayList<>(List.of("iptables", "-w", action, "FORWARD", "-p", "tcp"));
        command.addAll(match);
        nodes.run(node, command.toArray(String[]::new));
    }

    /** The sum of a counter (1: packets, 2: bytes) over the rules of this name. */
    private long counter(String name, int group) {
        long sum = 0;
        Matcher matcher = PACKETS_AND_BYTES.matcher(nodes.run(node, "iptables-save", "-c", "-t", "filter"));
        while (matcher.find()) {
            if (matcher.group(3).equals(name)) {
                sum += Long.parseLong(matcher.group(group));
            }
        }
        return sum;
    }
}
