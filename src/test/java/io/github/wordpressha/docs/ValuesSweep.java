package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.ValueSpace;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** There is no value without an effect. Standard keys have a test of their own, see {@link StandardKeysTest}. */
@Tag("render")
class ValuesSweep {

  /** A value that is accepted so often, and changes nothing, is not used in that profile. */
  private static final int IN_VAIN = 2;

  private final ValueSpace space = new ValueSpace();
  private final AtomicInteger renders = new AtomicInteger();
  /** By a value's parent, and by its tier: the profile in which such a value had an effect. */
  private final Map<String, Profile> worked = new ConcurrentHashMap<>();

  /** Stronger than a search for its name: some other value of each must change something that is rendered. */
  @Test
  @DisplayName("every value does something")
  void everyValueIsUsed() {
    List<Profile> profiles = contexts();
    Map<String, String> before = new HashMap<>();
    profiles.forEach(p -> before.put(p.name(), text(p.values())));
    List<String> idle = space.entries().parallelStream()
        .map(ValuesReference.Entry::path)
        .filter(path -> !space.isStandard(path))
        .filter(path -> {
          Optional<Profile> found = likelyFirst(path, profiles)
              .filter(profile -> changesSomething(profile, path, before.get(profile.name())))
              .findFirst();
          found.ifPresent(profile -> remember(path, profile));
          return found.isEmpty();
        })
        .toList();
    System.out.printf("values: %d renders%n", renders.get());
    assertThat(idle).as("values that change nothing").isEmpty();
  }

  /** The profiles, beginning with those in which a neighbour of the value had an effect: most values need one render then. */
  private Stream<Profile> likelyFirst(String path, List<Profile> profiles) {
    return Stream.concat(Stream.of(parent(path), tier(path)).map(worked::get).filter(Objects::nonNull), profiles.stream()).distinct();
  }

  private void remember(String path, Profile profile) {
    worked.put(parent(path), profile);
    worked.put(tier(path), profile);
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }

  private static String tier(String path) {
    return path.split("\\.")[0];
  }

  private boolean changesSomething(Profile profile, String path, String before) {
    JsonNode current = Values.merge(Profiles.chart().defaults(), profile.values()).at("/" + path.replace('.', '/'));
    int accepted = 0;
    for (JsonNode other : space.others(path, current)) {
      if (accepted == IN_VAIN) {
        return false;
      }
      try {
        if (!text(Values.merge(profile.values(), Values.of(path, other))).equals(before)) {
          return true;
        }
        accepted++;
      } catch (RenderException e) {
        if (e.getMessage().contains(path)) {
          return true; // A guard names it: whoever sets it notices.
        }
      }
    }
    return false;
  }

  /** The profiles, and the switches that are off in all of them switched on. */
  private List<Profile> contexts() {
    var contexts = new ArrayList<Profile>();
    Profiles.all().forEach(contexts::add);
    Yaml.readObject(Path.of("src/test/resources/values-in-use.yaml"))
        .properties()
        .forEach(f -> contexts.add(new Profile(f.getKey(), (ObjectNode) f.getValue())));
    return contexts;
  }

  private String text(ObjectNode values) {
    renders.incrementAndGet();
    Rendering rendering = Profiles.chart().render(Release.standard(), values);
    return rendering.text() + rendering.notes();
  }
}
