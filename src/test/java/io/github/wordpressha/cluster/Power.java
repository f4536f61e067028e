package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.cluster.Drill.Fault;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * Loss of power under load, and its return.
 *
 * @param late how much later than the others the last of all nodes comes back
 * @param servesAgain how long the site may take from the last node's power to the first write
 * @param patience how long Kubernetes may take
 */
record Power(Nodes nodes, Duration late, Duration servesAgain, Duration patience) {

    private static final Random RANDOM = new Random();
    private static final int LATEST_MOMENT_MILLIS = 5000;

    /** All nodes lose power at once at a random moment; something happens meanwhile; they come back in some order. */
    Fault lossOfAll(Runnable meanwhile, List<String> order) {
        return (writers, reader) -> {
            Await.pass(Duration.ofMillis(RANDOM.nextInt(LATEST_MOMENT_MILLIS)));
            nodes.names().forEach(writers::nodeLost);
            nodes.kill(nodes.names());
            meanwhile.run();
            comeBack(writers, order);
        };
    }

    /** One node loses power. */
    void lose(Writers writers, String node) {
        writers.nodeLost(node);
        nodes.kill(node);
    }

    /** A node that was lost boots. */
    void comeBack(Writers writers, String node) {
        nodes.start(node);
        nodes.awaitReady(patience);
        writers.nodeBack(node);
    }

    /** All nodes boot in this order, the last one late; the site must take writes again soon after that. */
    void comeBack(Writers writers, List<String> order) {
        int last = order.size() - 1;
        order.subList(0, last).forEach(nodes::start);
        Await.pass(late);
        nodes.start(order.get(last));
        Instant complete = Instant.now();
        nodes.awaitReady(patience);
        order.forEach(writers::nodeBack);
        writers.awaitAckSince(complete, patience);
        Duration again = Duration.between(complete, writers.acks().stream().map(Writer.Ack::at)
            .filter(complete::isBefore).min(Comparator.naturalOrder()).orElseThrow());
        System.out.println("the site took writes again " + Gaps.seconds(again) + " after the last node had its power");
        assertThat(again).as("from the last node's power to the first write").isLessThanOrEqualTo(servesAgain);
    }

    /** All nodes, in the order in which they are to come back. */
    List<String> shuffled() {
        var order = new ArrayList<>(nodes.names());
        Collections.shuffle(order, RANDOM);
        System.out.println("the nodes come back in this order: " + order);
        return order;
    }
}
