package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Selectors that find nothing, or that find the pods of somebody else. */
public final class SelectorCheck implements Check {

  @Override
  public String rule() {
    return "selector";
  }

  @Override
  public String description() {
    return "Every selector of a Service, budget, policy, spread rule or workload finds the pods that it is meant for.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    objects.workloads().forEach(w -> workload(objects, w, problems));
    objects.all(Service.class).forEach(e -> service(objects, e.getKey(), e.getValue(), problems));
    objects.all(PodDisruptionBudget.class)
        .forEach(e -> finds(objects, e.getKey(), "spec.selector", e.getValue().getSpec().getSelector(), problems));
    objects.all(NetworkPolicy.class).forEach(e -> policy(objects, e.getKey(), e.getValue(), problems));
    monitors(objects, problems);
    return problems;
  }

  /** A workload must select its own pods, and nobody else's. */
  private void workload(Objects objects, Workload workload, List<Problem> problems) {
    workload.selector().ifPresent(selector -> {
      if (!Objects.matches(selector, workload.labels())) {
        problems.add(Problem.error(rule(), workload.manifest(), "spec.selector",
            "it does not match the labels of its own pods: " + describe(selector) + " against " + workload.labels() + ".",
            "Use the same labels in spec.selector and spec.template.metadata.labels."));
      }
      objects.workloads().stream()
          .filter(other -> !other.manifest().id().equals(workload.manifest().id()))
          .filter(other -> other.isService() && Objects.matches(selector, other.labels()))
          .forEach(other -> problems.add(Problem.error(rule(), workload.manifest(), "spec.selector",
              "it also matches the pods of " + other.manifest().id() + ".", "Select by a label that tells the two apart.")));
    });
    affinity(workload, problems);
  }

  /** Spreading rules that select other pods than their own spread nothing. */
  private void affinity(Workload workload, List<Problem> problems) {
    var spreads = workload.pod().getTopologySpreadConstraints();
    for (int i = 0; i < spreads.size(); i++) {
      own(workload, spreads.get(i).getLabelSelector(), workload.podPath() + ".topologySpreadConstraints[" + i + "].labelSelector", problems);
    }
    var affinity = workload.pod().getAffinity();
    if (affinity != null && affinity.getPodAntiAffinity() != null) {
      var anti = affinity.getPodAntiAffinity();
      String path = workload.podPath() + ".affinity.podAntiAffinity";
      anti.getRequiredDuringSchedulingIgnoredDuringExecution()
          .forEach(t -> own(workload, t.getLabelSelector(), path + ".requiredDuringSchedulingIgnoredDuringExecution", problems));
      anti.getPreferredDuringSchedulingIgnoredDuringExecution()
          .forEach(t -> own(workload, t.getPodAffinityTerm().getLabelSelector(),
              path + ".preferredDuringSchedulingIgnoredDuringExecution", problems));
    }
  }

  private void own(Workload workload, LabelSelector selector, String path, List<Problem> problems) {
    if (selector != null && !Objects.matches(selector, workload.labels())) {
      problems.add(Problem.error(rule(), workload.manifest(), path,
          describe(selector) + " does not match the pods that carry this rule, so that it keeps nothing apart.",
          "Select the labels of these pods: " + workload.labels() + "."));
    }
  }

  private void service(Objects objects, Manifest manifest, Service service, List<Problem> problems) {
    Map<String, String> labels = service.getSpec().getSelector();
    if (labels == null || labels.isEmpty() || "ExternalName".equals(service.getSpec().getType())) {
      return;
    }
    LabelSelector selector = new LabelSelectorBuilder().withMatchLabels(labels).build();
    finds(objects, manifest, "spec.selector", selector, problems);
    List<String> found = objects.selected(selector).stream().filter(Workload::isService).map(w -> w.manifest().id()).toList();
    if (found.size() > 1) {
      problems.add(Problem.error(rule(), manifest, "spec.selector",
          describe(selector) + " finds the pods of several workloads: " + String.join(", ", found) + ".",
          "Add the label that tells them apart."));
    }
  }

  private void policy(Objects objects, Manifest manifest, NetworkPolicy policy, List<Problem> problems) {
    finds(objects, manifest, "spec.podSelector", policy.getSpec().getPodSelector(), problems);
    var ingress = policy.getSpec().getIngress();
    for (int i = 0; i < ingress.size(); i++) {
      peers(objects, manifest, "spec.ingress[" + i + "].from", ingress.get(i).getFrom(), problems);
    }
    var egress = policy.getSpec().getEgress();
    for (int i = 0; i < egress.size(); i++) {
      peers(objects, manifest, "spec.egress[" + i + "].to", egress.get(i).getTo(), problems);
    }
  }

  private void peers(Objects objects, Manifest manifest, String path, List<NetworkPolicyPeer> peers, List<Problem> problems) {
    for (int i = 0; i < peers.size(); i++) {
      NetworkPolicyPeer peer = peers.get(i);
      // With a namespace selector the pods are other people's, and we cannot see them.
      if (peer.getPodSelector() != null && peer.getNamespaceSelector() == null && ofThisRelease(objects, peer.getPodSelector())) {
        finds(objects, manifest, path + "[" + i + "].podSelector", peer.getPodSelector(), problems);
      }
    }
  }

  private static boolean ofThisRelease(Objects objects, LabelSelector selector) {
    return selector.getMatchLabels() != null
        && objects.release().name().equals(selector.getMatchLabels().get("app.kubernetes.io/instance"));
  }

  /** ServiceMonitors select Services; PodMonitors select pods. */
  private void monitors(Objects objects, List<Problem> problems) {
    for (Manifest manifest : objects.manifests()) {
      if (manifest.kind().equals("ServiceMonitor") || manifest.kind().equals("PodMonitor")) {
        var wanted = io.github.wordpressha.helm.Yaml.MAPPER.convertValue(manifest.tree().path("spec").path("selector"), LabelSelector.class);
        boolean found = manifest.kind().equals("PodMonitor")
            ? !objects.selected(wanted).isEmpty()
            : objects.all(Service.class).anyMatch(s -> Objects.matches(wanted,
                s.getValue().getMetadata().getLabels() == null ? Map.of() : s.getValue().getMetadata().getLabels()));
        if (!found) {
          problems.add(Problem.error(rule(), manifest, "spec.selector", describe(wanted) + " finds nothing.", ""));
        }
      }
    }
  }

  private void finds(Objects objects, Manifest manifest, String path, LabelSelector selector, List<Problem> problems) {
    if (objects.selected(selector).isEmpty()) {
      problems.add(Problem.error(rule(), manifest, path, describe(selector) + " finds no pod of this release.",
          "Compare it with the labels in the pod templates."));
    }
  }

  private static String describe(LabelSelector selector) {
    if (selector == null) {
      return "the missing selector";
    }
    String labels = selector.getMatchLabels() == null ? "{}" : selector.getMatchLabels().toString();
    return selector.getMatchExpressions().isEmpty() ? labels : labels + " with " + selector.getMatchExpressions().size() + " expressions";
  }
}
