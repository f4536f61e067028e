package io.github.wordpressha.cluster;

import java.time.Duration;
import java.util.List;

/** The database's members, asked one by one, each at its own socket and not through what WordPress uses. */
record Members(Release release) {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final int ROWS_PER_TRANSACTION = 16; // of one megabyte

    /** The names of the pods that the database has now. */
    List<String> names() {
        return Release.names(release.pods("database"));
    }

    /**
     * Runs SQL on one member as root.
     *
     * @return the rows: columns separated by tabs, without a header
     */
    List<String> query(String member, String sql) {
        return Pods.exec(release.kubernetes(), release.namespace(), member, "mysql", TIMEOUT, "/scripts/mysql", "-N", "-e", sql)
            .lines().toList();
    }

    /** How many connections of the site a member has. */
    int sessions(String member) {
        return Integer.parseInt(query(member, "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'wordpress'").get(0));
    }

    /** Makes the data larger: so many rows of one megabyte, inserted by one member. */
    void fill(String member, int megabytes) {
        query(member, "CREATE TABLE IF NOT EXISTS wordpress.drill_bulk (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, data LONGBLOB NOT NULL) ENGINE=InnoDB");
        for (int left = megabytes; left > 0; left -= ROWS_PER_TRANSACTION) {
            query(member, """
                USE wordpress; INSERT INTO drill_bulk (data) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %d)
                SELECT REPEAT(SHA2(RAND(), 256), 16384) FROM n""".formatted(Math.min(left, ROWS_PER_TRANSACTION)));
        }
    }

    /** Takes away what {@link #fill} made. */
    void clear(String member) {
        query(member, "DROP TABLE wordpress.drill_bulk");
    }
}
