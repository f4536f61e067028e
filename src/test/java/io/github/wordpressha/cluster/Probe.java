package io.github.wordpressha.cluster;

/**
 * A check of one effect in a running site.
 *
 * @param name what effects.yaml calls it
 * @param <S> the kind of site
 */
record Probe<S>(String name, Check<S> check) {

    /** Fails unless the site shows the effect. */
    @FunctionalInterface
    interface Check<S> {
        void on(S site) throws Exception;
    }

    /** Runs the check; a failure carries the probe's name. */
    void ask(S site) throws Exception {
        try {
            check.on(site);
        } catch (AssertionError failure) {
            throw new AssertionError(name + ": " + failure.getMessage(), failure);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
