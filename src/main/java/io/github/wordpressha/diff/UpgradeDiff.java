package io.github.wordpressha.diff;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Quantity;
import io.github.wordpressha.diff.Change.Kind;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.manifest.Manifest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Compares what is installed with what an upgrade would install: what changes, what restarts, and what cannot be changed. */
public final class UpgradeDiff {

  /** Of a StatefulSet's spec everything else is fixed for life. */
  private static final Set<String> STATEFUL_SET_MUTABLE = Set.of(
      "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds");

  /** Fields that the API server never lets anybody change, by kind. */
  private static final Map<String, List<String>> IMMUTABLE = Map.of(
      "Deployment", List.of("spec.selector"),
      "DaemonSet", List.of("spec.selector"),
      "RoleBinding", List.of("roleRef"),
      "ClusterRoleBinding", List.of("roleRef"),
      "StorageClass", List.of("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
      "Service", List.of("spec.clusterIP"),
      "Job", List.of("spec.template", "spec.selector", "spec.completions"),
      "PersistentVolume", List.of("spec.nfs", "spec.csi", "spec.hostPath", "spec.local"),
      "Secret", List.of("type"));

  private static final Set<String> WITH_PODS = Set.of("Deployment", "StatefulSet", "DaemonSet");

  private UpgradeDiff() {}

  /** The changes, the worst first. Hooks are left out: they run anew at each upgrade. */
  public static List<Change> between(List<Manifest> old, List<Manifest> now) {
    Map<String, Manifest> before = index(old);
    Map<String, Manifest> after = index(now);
    var changes = new ArrayList<Change>();
    before.forEach((key, manifest) -> {
      if (!after.containsKey(key)) {
        changes.add(removed(manifest));
      }
    });
    after.forEach((key, manifest) -> {
      if (!before.containsKey(key)) {
        changes.add(new Change(Kind.ADDED, manifest.id(), List.of(), List.of()));
      } else {
        compare(before.get(key), manifest, fixedClasses(now)).ifPresent(changes::add);
      }
    });
    changes.sort(Comparator.comparing(Change::kind).thenComparing(Change::object));
    return changes;
  }

  private static Map<String, Manifest> index(List<Manifest> manifests) {
    var index = new LinkedHashMap<String, Manifest>();
    manifests.stream()
        .filter(m -> m.annotation(Chart.HOOK).isEmpty() && m.annotation("helm.sh/hook").isEmpty())
        .forEach(m -> index.put(m.apiVersion().replaceFirst("/.*", "") + " " + m.kind() + " " + m.namespace() + "/" + m.name(), m));
    return index;
  }

  private static Change removed(Manifest manifest) {
    boolean kept = manifest.annotation("helm.sh/resource-policy").filter("keep"::equals).isPresent();
    return new Change(Kind.REMOVED, manifest.id(), kept ? List.of("stays in the cluster (helm.sh/resource-policy: keep)") : List.of(), List.of());
  }

  /** The StorageClasses among these objects whose volumes cannot grow. */
  private static Set<String> fixedClasses(List<Manifest> manifests) {
    return manifests.stream()
        .filter(m -> m.kind().equals("StorageClass") && !m.tree().path("allowVolumeExpansion").asBoolean())
        .map(Manifest::name)
        .collect(java.util.stream.Collectors.toUnmodifiableSet());
  }

  private static java.util.Optional<Change> compare(Manifest old, Manifest now, Set<String> fixedClasses) {
    var paths = new ArrayList<String>();
    differences(old.tree(), now.tree(), "", paths);
    if (paths.isEmpty()) {
      return java.util.Optional.empty();
    }
    List<String> refused = refused(old, now, fixedClasses);
    Kind kind = !refused.isEmpty() ? Kind.REFUSED
        : WITH_PODS.contains(now.kind()) && !at(old.tree(), "spec.template").equals(at(now.tree(), "spec.template")) ? Kind.RESTARTS
        : Kind.CHANGED;
    return java.util.Optional.of(new Change(kind, now.id(), paths, refused));
  }

  private static List<String> refused(Manifest old, Manifest now, Set<String> fixedClasses) {
    var reasons = new ArrayList<String>();
    for (String path : IMMUTABLE.getOrDefault(now.kind(), List.of())) {
      JsonNode before = at(old.tree(), path);
      // A cluster IP that is not written is chosen by the cluster; writing it later is refused, leaving it out is not.
      boolean unsaid = path.equals("spec.clusterIP") && at(now.tree(), path).isMissingNode();
      if (!before.equals(at(now.tree(), path)) && !unsaid) {
        reasons.add(path + " of a " + now.kind() + " cannot be changed: delete the object before the upgrade.");
      }
    }
    if (now.kind().equals("StatefulSet")) {
      statefulSet(old.tree().path("spec"), now.tree().path("spec"), reasons);
    }
    if (now.kind().equals("PersistentVolumeClaim")) {
      claim(old.tree().path("spec"), now.tree().path("spec"), "spec", fixedClasses, reasons);
    }
    if ((now.kind().equals("Secret") || now.kind().equals("ConfigMap")) && old.tree().path("immutable").asBoolean()) {
      reasons.add("the object says of itself that it is immutable: give the new one another name.");
    }
    return reasons;
  }

  private static void statefulSet(JsonNode old, JsonNode now, List<String> reasons) {
    for (String field : fields(old, now)) {
      if (STATEFUL_SET_MUTABLE.contains(field) || old.path(field).equals(now.path(field))) {
        continue;
      }
      if (field.equals("volumeClaimTemplates") && sameButSizes(old.path(field), now.path(field))) {
        reasons.add("the size in spec.volumeClaimTemplates of a StatefulSet cannot be changed: resize the claims (kubectl patch pvc), then "
            + "delete the StatefulSet with --cascade=orphan and upgrade; its pods and data stay.");
      } else {
        reasons.add("spec." + field + " of a StatefulSet cannot be changed: delete it with --cascade=orphan (its pods and data stay), then upgrade.");
      }
    }
  }

  private static void claim(JsonNode old, JsonNode now, String path, Set<String> fixedClasses, List<String> reasons) {
    JsonNode before = at((ObjectNode) old, "resources.requests.storage");
    JsonNode after = at((ObjectNode) now, "resources.requests.storage");
    if (!before.equals(after) && smaller(after.asText(), before.asText())) {
      reasons.add(path + ".resources.requests.storage: a volume cannot shrink from " + before.asText() + " to " + after.asText() + ".");
    } else if (!before.equals(after) && now.path("storageClassName").isTextual()
        && (now.path("storageClassName").asText().isEmpty() || fixedClasses.contains(now.path("storageClassName").asText()))) {
      reasons.add(path + ".resources.requests.storage: " + (now.path("storageClassName").asText().isEmpty()
          ? "a volume without a StorageClass cannot grow: leave the size as it is; the server's own volume decides."
          : "StorageClass \"" + now.path("storageClassName").asText() + "\" does not let its volumes grow: set allowVolumeExpansion: true there."));
    }
    for (String field : fields(old, now)) {
      if (!field.equals("resources") && !old.path(field).equals(now.path(field))) {
        reasons.add(path + "." + field + " of a claim cannot be changed: use another name and copy the data.");
      }
    }
  }

  private static boolean smaller(String a, String b) {
    try {
      return new Quantity(a).getNumericalAmount().compareTo(new Quantity(b).getNumericalAmount()) < 0;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private static boolean sameButSizes(JsonNode old, JsonNode now) {
    return withoutSizes(old).equals(withoutSizes(now));
  }

  private static JsonNode withoutSizes(JsonNode templates) {
    JsonNode copy = templates.deepCopy();
    copy.forEach(t -> {
      if (t.path("spec") instanceof ObjectNode spec) {
        spec.remove("resources");
      }
    });
    return copy;
  }

  private static Set<String> fields(JsonNode a, JsonNode b) {
    var names = new LinkedHashSet<String>();
    a.fieldNames().forEachRemaining(names::add);
    b.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static void differences(JsonNode old, JsonNode now, String path, List<String> paths) {
    if (old.isObject() && now.isObject()) {
      for (String field : new TreeSet<>(fields(old, now))) {
        differences(orMissing(old.get(field)), orMissing(now.get(field)), path.isEmpty() ? field : path + "." + field, paths);
      }
    } else if (old.isArray() && now.isArray() && old.size() == now.size()) {
      for (int i = 0; i < old.size(); i++) {
        differences(old.get(i), now.get(i), path + "[" + i + "]", paths);
      }
    } else if (!old.equals(now)) {
      paths.add(path + ": " + shown(old) + " -> " + shown(now));
    }
  }

  private static JsonNode orMissing(JsonNode node) {
    return node == null ? MissingNode.getInstance() : node;
  }

  private static String shown(JsonNode node) {
    if (node.isMissingNode()) {
      return "(none)";
    }
    String text = node.isTextual() ? node.asText() : node.toString();
    text = text.replaceAll("\\s+", " ");
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }

  private static JsonNode at(ObjectNode tree, String path) {
    JsonNode node = tree;
    for (String key : path.split("\\.")) {
      node = node.path(key);
    }
    return node;
  }
}
