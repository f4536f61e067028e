package io.github.wordpressha.cluster;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;

/** Waits for conditions. */
final class Await {

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private Await() {
    }

    /** Time that a fault lasts; nothing is waited for. */
    static void pass(Duration duration) {
        try {
            Thread.sleep(Math.max(0, duration.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /**
     * Waits until an assertion holds. Errors of the API or of the site count as "not yet".
     *
     * @throws org.awaitility.core.ConditionTimeoutException after {@code atMost}, with what is awaited and the last failure
     */
    static void until(String what, Duration atMost, ThrowingRunnable assertion) {
        Awaitility.await(what)
            .pollInSameThread()
            .pollDelay(Duration.ZERO)
            .pollInterval(INTERVAL)
            .atMost(atMost)
            .ignoreExceptions()
            .untilAsserted(assertion);
    }
}
