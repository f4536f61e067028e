package io.github.wordpressha.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.manifest.Manifest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * All objects of a release, indexed, and what is known of objects that others own.
 *
 * <p>Secrets appear at run time, too: a Job that creates some declares them in the annotation {@value #CREATES_SECRETS},
 * as {@code name:key,key;name2:key}. And people bring their own: a name that the values give under a key such as
 * {@code existingSecret} is taken to exist.
 */
public final class Objects {

  /** On a Job: the Secrets, with their keys, that it makes. */
  public static final String CREATES_SECRETS = "wordpress-ha.github.io/creates-secrets";

  private final Release release;
  private final List<Manifest> manifests;
  private final Map<String, Manifest> byId = new HashMap<>();
  private final List<Workload> workloads;
  private final Map<String, Set<String>> createdSecrets = new HashMap<>();
  private final Set<String> external;

  /**
   * @param manifests decoded objects
   * @param values the values that a person gave, which name the objects that they own
   */
  public Objects(Release release, List<Manifest> manifests, ObjectNode values) {
    this.release = release;
    this.manifests = List.copyOf(manifests);
    manifests.forEach(m -> byId.putIfAbsent(m.id(), m));
    this.workloads = manifests.stream().flatMap(m -> Workload.of(m).stream()).toList();
    this.external = externalNames(values);
    manifests.forEach(this::readCreatedSecrets);
  }

  public Release release() {
    return release;
  }

  public List<Manifest> manifests() {
    return manifests;
  }

  public List<Workload> workloads() {
    return workloads;
  }

  /** Objects of a class with their manifests. */
  public <T extends HasMetadata> Stream<Map.Entry<Manifest, T>> all(Class<T> type) {
    return manifests.stream()
        .filter(m -> type.isInstance(m.object()))
        .map(m -> Map.entry(m, type.cast(m.object())));
  }

  public Optional<Manifest> find(String kind, String name) {
    return Optional.ofNullable(byId.get(kind + "/" + name));
  }

  public <T extends HasMetadata> Optional<T> find(Class<T> type, String name) {
    return find(HasMetadata.getKind(type), name).map(Manifest::object).filter(type::isInstance).map(type::cast);
  }

  public boolean has(String kind, String name) {
    return byId.containsKey(kind + "/" + name);
  }

  /** The names of all objects of a kind, for "did you mean". */
  public Set<String> names(String kind) {
    var names = new TreeSet<String>();
    manifests.stream().filter(m -> m.kind().equals(kind)).forEach(m -> names.add(m.name()));
    if (kind.equals("Secret")) {
      names.addAll(createdSecrets.keySet());
    }
    return names;
  }

  /** Whether a person said that this object is theirs. */
  public boolean isExternal(String name) {
    return external.contains(name);
  }

  /**
   * The keys of a Secret that the release has or makes; empty if there is none of this name. A Secret whose maker does
   * not say the keys (cert-manager) has an empty set, which stands for "any".
   */
  public Optional<Set<String>> secretKeys(String name) {
    return find("Secret", name)
        .map(m -> union(keys(m.tree().path("data")), keys(m.tree().path("stringData"))))
        .or(() -> Optional.ofNullable(createdSecrets.get(name)));
  }

  public Optional<Set<String>> configMapKeys(String name) {
    return find("ConfigMap", name).map(m -> union(keys(m.tree().path("data")), keys(m.tree().path("binaryData"))));
  }

  /** The workloads whose pods a selector finds. */
  public List<Workload> selected(LabelSelector selector) {
    return workloads.stream().filter(w -> matches(selector, w.labels())).toList();
  }

  /** Whether labels satisfy a selector; an empty selector matches everything. */
  public static boolean matches(LabelSelector selector, Map<String, String> labels) {
    if (selector == null) {
      return false;
    }
    Map<String, String> wanted = selector.getMatchLabels() == null ? Map.of() : selector.getMatchLabels();
    return labels.entrySet().containsAll(wanted.entrySet())
        && selector.getMatchExpressions().stream().allMatch(e -> matches(e, labels));
  }

  private static boolean matches(LabelSelectorRequirement expression, Map<String, String> labels) {
    String value = labels.get(expression.getKey());
    return switch (expression.getOperator()) {
      case "In" -> value != null && expression.getValues().contains(value);
      case "NotIn" -> value == null || !expression.getValues().contains(value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      default -> false;
    };
  }

  private void readCreatedSecrets(Manifest manifest) {
    manifest.annotation(CREATES_SECRETS).ifPresent(text -> {
      for (String secret : text.split(";")) {
        String[] parts = secret.strip().split(":", 2);
        if (!parts[0].isEmpty()) {
          createdSecrets.computeIfAbsent(parts[0].strip(), n -> new TreeSet<>())
              .addAll(parts.length == 1 ? List.of() : Stream.of(parts[1].split(",")).map(String::strip).toList());
        }
      }
    });
    if (manifest.type().equals("cert-manager.io/v1 Certificate")) {
      createdSecrets.put(manifest.tree().path("spec").path("secretName").asText(), Set.of("ca.crt", "tls.crt", "tls.key"));
    }
  }

  /** Texts under keys that, by their name, speak of objects which exist already. */
  private static Set<String> externalNames(JsonNode values) {
    var names = new HashSet<String>();
    collect("", values, names);
    return names;
  }

  private static void collect(String key, JsonNode node, Set<String> names) {
    if (node.isTextual() && speaksOfExisting(key)) {
      names.add(node.asText());
    } else if (node.isArray()) {
      node.forEach(item -> collect(key, item, names));
    } else {
      node.properties().forEach(field -> collect(field.getKey().equals("name") ? key : field.getKey(), field.getValue(), names));
    }
  }

  private static boolean speaksOfExisting(String key) {
    String name = key.toLowerCase(Locale.ROOT);
    return name.startsWith("existing") || name.endsWith("secret") || name.endsWith("secretname") || name.endsWith("secretref")
        || name.endsWith("configmap") || name.endsWith("configmapref") || name.endsWith("configmaps") || name.endsWith("secrets")
        || name.endsWith("secretkeyref") || name.endsWith("configmapkeyref") || name.endsWith("claimname") || name.endsWith("serviceaccountname")
        || name.endsWith("serviceaccount");
  }

  private static Set<String> keys(JsonNode map) {
    var keys = new TreeSet<String>();
    map.fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  private static Set<String> union(Set<String> a, Set<String> b) {
    var all = new TreeSet<>(a);
    all.addAll(b);
    return all;
  }
}
