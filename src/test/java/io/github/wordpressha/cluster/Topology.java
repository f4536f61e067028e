package io.github.wordpressha.cluster;

/** How the database's members belong together, and so when they are whole. */
interface Topology {

    Members members();

    /** A member that takes writes. */
    String writable();

    /** Fails unless the database has so many members, and each of them has everything and does what it is there for. */
    void assertWhole(int size);
}
