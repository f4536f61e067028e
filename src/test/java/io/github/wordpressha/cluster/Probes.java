package io.github.wordpressha.cluster;

import java.util.List;
import java.util.stream.Stream;

/** The probes of {@link EffectsIT}, for the list of effects. */
public final class Probes {

    private Probes() {
    }

    /** The names of all probes. */
    public static List<String> names() {
        return Stream.concat(SiteProbes.ALL.stream(), StackProbes.ALL.stream()).map(Probe::name).toList();
    }
}
