package io.github.wordpressha.cluster;

import io.github.wordpressha.cluster.Ledger.Accepted;
import java.time.Duration;
import java.util.List;

/**
 * What a drill did to the site.
 *
 * @param acknowledged how many rows the database acknowledged
 * @param writeGap the longest interruption of writing
 * @param readGap the longest time without a page
 * @param failedReads pages that failed
 * @param reroutedReads requests that another node had to answer
 * @param recovered from the fault until every tier was whole and every pod wrote
 * @param accepted every row that is there, acknowledged or not, by time
 */
record Outcome(int acknowledged, Duration writeGap, Duration readGap, List<String> failedReads, List<String> reroutedReads, Duration recovered,
        List<Accepted> accepted) {

    String figures() {
        return "write-gap=%s read-gap=%s failed-reads=%d rerouted-reads=%d recovered=%s acknowledged=%d lost=0".formatted(
            Gaps.seconds(writeGap), Gaps.seconds(readGap), failedReads.size(), reroutedReads.size(), Gaps.seconds(recovered), acknowledged);
    }
}
