package io.github.wordpressha.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/** Names, labels and references that the API server refuses by rules that no schema holds. */
public final class NameCheck implements Check {

  private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
  /** Kubernetes before 1.36 takes no digit first in the name of a Service. */
  private static final Pattern SERVICE = Pattern.compile("[a-z]([-a-z0-9]{0,61}[a-z0-9])?");
  private static final Pattern DNS_NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]*[a-z0-9])?");
  private static final Pattern LABEL_VALUE = Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?");
  private static final Pattern LABEL_KEY = Pattern.compile("([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");
  private static final Pattern PORT_NAME = Pattern.compile("(?=.*[a-z])[a-z0-9]([a-z0-9]|-(?!-)){0,13}[a-z0-9]|[a-z]");
  private static final Pattern ENV_NAME = Pattern.compile("[-._a-zA-Z][-._a-zA-Z0-9]*");
  private static final Pattern DATA_KEY = Pattern.compile("[-._a-zA-Z0-9]{1,253}");

  @Override
  public String rule() {
    return "name";
  }

  @Override
  public String description() {
    return "Names, labels, port names and keys follow the rules of DNS and of Kubernetes, and each is given once.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    var seen = new HashSet<String>();
    for (Manifest manifest : objects.manifests()) {
      name(manifest, problems);
      labels(manifest, "metadata.labels", manifest.tree().path("metadata").path("labels"), problems);
      for (String map : List.of("data", "stringData", "binaryData")) {
        if (manifest.kind().equals("ConfigMap") || manifest.kind().equals("Secret")) {
          manifest.tree().path(map).fieldNames().forEachRemaining(key ->
              require(DATA_KEY, key, manifest, map, "is no valid key", problems));
        }
      }
      if (!seen.add(manifest.type() + "/" + manifest.namespace() + "/" + manifest.name())) {
        problems.add(Problem.error(rule(), manifest, "metadata.name", "the release has another " + manifest.kind() + " of this name.", "Name them apart."));
      }
    }
    objects.workloads().forEach(w -> workload(w, problems));
    return problems;
  }

  private void name(Manifest manifest, List<Problem> problems) {
    boolean rbac = manifest.apiVersion().startsWith("rbac.");
    Pattern pattern = switch (manifest.kind()) {
      case "Service" -> SERVICE;
      case "Namespace" -> DNS_LABEL;
      default -> DNS_NAME;
    };
    if (!rbac) {
      require(pattern, manifest.name(), manifest, "metadata.name", "is no valid name (small letters, digits, \"-\")", problems);
    }
    if (manifest.kind().equals("StorageClass")) {
      require(LABEL_KEY, manifest.tree().path("provisioner").asText(), manifest, "provisioner", "is no valid name of a provisioner (at most 63 characters)", problems);
    }
    // A StatefulSet's pods carry a label of its name, "-" and ten characters; a CronJob's Jobs add eleven.
    int limit = switch (manifest.kind()) {
      case "StatefulSet", "CronJob" -> 52;
      case "Service", "Job", "Deployment" -> 63;
      default -> 253;
    };
    if (manifest.name().length() > limit) {
      problems.add(Problem.error(rule(), manifest, "metadata.name",
          "has " + manifest.name().length() + " characters, and a " + manifest.kind() + " may have " + limit + ".", "Shorten the release's name."));
    }
  }

  private void labels(Manifest manifest, String path, JsonNode labels, List<Problem> problems) {
    for (var label : labels.properties()) {
      require(LABEL_KEY, label.getKey(), manifest, path, "is no valid label", problems);
      if (label.getValue().isTextual()) {
        require(LABEL_VALUE, label.getValue().asText(), manifest, path + "." + label.getKey(), "is no valid label value", problems);
      }
    }
  }

  private void workload(Workload workload, List<Problem> problems) {
    labels(workload.manifest(), "spec.template.metadata.labels", workload.manifest().tree().path("spec").path("template").path("metadata").path("labels"), problems);
    var containers = new HashMap<String, String>();
    for (Workload.Placed placed : workload.containers()) {
      String name = placed.container().getName();
      require(DNS_LABEL, name == null ? "" : name, workload.manifest(), placed.path() + ".name", "is no valid container name", problems);
      if (containers.put(name, placed.path()) != null) {
        problems.add(Problem.error(rule(), workload.manifest(), placed.path() + ".name", "the pod has another container \"" + name + "\".", "Name them apart."));
      }
      for (ContainerPort port : placed.container().getPorts()) {
        if (port.getName() != null) {
          require(PORT_NAME, port.getName(), workload.manifest(), placed.path() + ".ports", "is no valid port name (at most 15 characters)", problems);
        }
      }
      var names = new HashSet<String>();
      placed.container().getEnv().forEach(env -> {
        require(ENV_NAME, env.getName(), workload.manifest(), placed.path() + ".env", "is no valid variable name", problems);
        if (!names.add(env.getName())) {
          problems.add(Problem.error(rule(), workload.manifest(), placed.path() + ".env", "variable " + env.getName() + " is given twice.", "Remove one of the two."));
        }
      });
    }
    var volumes = new HashSet<String>();
    workload.pod().getVolumes().forEach(v -> {
      require(DNS_LABEL, v.getName(), workload.manifest(), workload.podPath() + ".volumes", "is no valid volume name", problems);
      if (!volumes.add(v.getName())) {
        problems.add(Problem.error(rule(), workload.manifest(), workload.podPath() + ".volumes", "volume \"" + v.getName() + "\" is given twice.", "Remove one of the two."));
      }
    });
  }

  private void require(Pattern pattern, String text, Manifest manifest, String path, String complaint, List<Problem> problems) {
    if (!pattern.matcher(text).matches()) {
      problems.add(Problem.error(rule(), manifest, path, "\"" + text + "\" " + complaint + ".", ""));
    }
  }
}
