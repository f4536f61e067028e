package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.manifest.Manifest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Something that makes pods, seen alike whatever its kind.
 *
 * @param manifest the object
 * @param labels of its pods
 * @param annotations of its pods
 * @param pod what it runs
 * @param podPath where the pod's spec is in the object: {@code spec.template.spec}
 * @param selector how it recognises its pods; empty for kinds that do without
 * @param replicas the pods it asks for; 1 where the kind has no number
 * @param claims of a StatefulSet, one of each for each pod
 */
public record Workload(
    Manifest manifest,
    Map<String, String> labels,
    Map<String, String> annotations,
    PodSpec pod,
    String podPath,
    Optional<LabelSelector> selector,
    int replicas,
    List<PersistentVolumeClaim> claims) {

  /** A container and where it is in the object. */
  public record Placed(Container container, String path, boolean init) {

    /** An init container with restartPolicy Always runs beside the others: a sidecar. */
    public boolean isSidecar() {
      return init && "Always".equals(container.getRestartPolicy());
    }

    /** Whether it runs as long as the pod does. */
    public boolean runsOn() {
      return !init || isSidecar();
    }
  }

  /** The workload that this object is, if it is one and could be decoded. */
  public static Optional<Workload> of(Manifest manifest) {
    Object object = manifest.object();
    if (object instanceof Deployment d) {
      return Optional.of(of(manifest, d.getSpec().getTemplate(), "spec.template", d.getSpec().getSelector(),
          orOne(d.getSpec().getReplicas()), List.of()));
    } else if (object instanceof StatefulSet s) {
      return Optional.of(of(manifest, s.getSpec().getTemplate(), "spec.template", s.getSpec().getSelector(),
          orOne(s.getSpec().getReplicas()), s.getSpec().getVolumeClaimTemplates()));
    } else if (object instanceof DaemonSet d) {
      return Optional.of(of(manifest, d.getSpec().getTemplate(), "spec.template", d.getSpec().getSelector(), 1, List.of()));
    } else if (object instanceof Job j) {
      return Optional.of(of(manifest, j.getSpec().getTemplate(), "spec.template", null, 1, List.of()));
    } else if (object instanceof CronJob c) {
      return Optional.of(of(manifest, c.getSpec().getJobTemplate().getSpec().getTemplate(), "spec.jobTemplate.spec.template", null, 1,
          List.of()));
    } else if (object instanceof Pod p) {
      var metadata = p.getMetadata();
      return Optional.of(new Workload(manifest, nonNull(metadata.getLabels()), nonNull(metadata.getAnnotations()), p.getSpec(), "spec",
          Optional.empty(), 1, List.of()));
    }
    return Optional.empty();
  }

  private static Workload of(
      Manifest manifest, PodTemplateSpec template, String path, LabelSelector selector, int replicas, List<PersistentVolumeClaim> claims) {
    var metadata = template.getMetadata();
    return new Workload(
        manifest,
        metadata == null ? Map.of() : nonNull(metadata.getLabels()),
        metadata == null ? Map.of() : nonNull(metadata.getAnnotations()),
        template.getSpec(),
        path + ".spec",
        Optional.ofNullable(selector),
        replicas,
        List.copyOf(claims));
  }

  private static int orOne(Integer replicas) {
    return replicas == null ? 1 : replicas;
  }

  private static Map<String, String> nonNull(Map<String, String> map) {
    return map == null ? Map.of() : map;
  }

  public String kind() {
    return manifest.kind();
  }

  public String name() {
    return manifest.name();
  }

  /** The kinds that are meant to run for ever. */
  public boolean isService() {
    return List.of("Deployment", "StatefulSet", "DaemonSet").contains(kind());
  }

  /** A Helm hook of any kind, tests included. */
  public boolean isHook() {
    return manifest.annotation(Chart.HOOK).isPresent() || manifest.annotation("helm.sh/hook").isPresent();
  }

  /** All containers: init containers first, as Kubernetes starts them. */
  public List<Placed> containers() {
    var all = new ArrayList<Placed>();
    for (int i = 0; i < pod.getInitContainers().size(); i++) {
      all.add(new Placed(pod.getInitContainers().get(i), podPath + ".initContainers[" + i + "]", true));
    }
    for (int i = 0; i < pod.getContainers().size(); i++) {
      all.add(new Placed(pod.getContainers().get(i), podPath + ".containers[" + i + "]", false));
    }
    return all;
  }

  /** The containers that run as long as the pod does. */
  public Stream<Placed> running() {
    return containers().stream().filter(Placed::runsOn);
  }
}
