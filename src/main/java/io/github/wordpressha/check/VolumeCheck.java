package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.manifest.Spelling;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Volumes and the mounts of them, and volumes that only one node can have while many want them. */
public final class VolumeCheck implements Check {

  @Override
  public String rule() {
    return "volume";
  }

  @Override
  public String description() {
    return "Every mount has its volume and a place of its own, every volume is used, and a ReadWriteOnce claim has one user.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      Set<String> volumes = new TreeSet<>();
      workload.pod().getVolumes().forEach(v -> volumes.add(v.getName()));
      workload.claims().forEach(c -> volumes.add(c.getMetadata().getName()));
      var used = new HashSet<String>();
      for (Workload.Placed placed : workload.containers()) {
        mounts(workload, placed, volumes, used, problems);
      }
      unused(workload, used, problems);
      shared(objects, workload, problems);
    }
    return problems;
  }

  private void mounts(Workload workload, Workload.Placed placed, Set<String> volumes, Set<String> used, List<Problem> problems) {
    var places = new HashMap<String, String>();
    List<VolumeMount> mounts = placed.container().getVolumeMounts();
    for (int i = 0; i < mounts.size(); i++) {
      VolumeMount mount = mounts.get(i);
      String path = placed.path() + ".volumeMounts[" + i + "]";
      used.add(mount.getName());
      if (!volumes.contains(mount.getName())) {
        problems.add(Problem.error(rule(), workload.manifest(), path + ".name",
            "the pod has no volume \"" + mount.getName() + "\".", Spelling.didYouMean(mount.getName(), volumes)));
      }
      if (places.put(mount.getMountPath(), mount.getName()) != null) {
        problems.add(Problem.error(rule(), workload.manifest(), path + ".mountPath",
            "something else is mounted at " + mount.getMountPath() + " already.", "Give each mount a place of its own."));
      }
      if (!mount.getMountPath().startsWith("/")) {
        problems.add(Problem.error(rule(), workload.manifest(), path + ".mountPath",
            "\"" + mount.getMountPath() + "\" is no absolute path.", ""));
      }
    }
    placed.container().getVolumeDevices().forEach(d -> used.add(d.getName()));
  }

  private void unused(Workload workload, Set<String> used, List<Problem> problems) {
    for (Volume volume : workload.pod().getVolumes()) {
      if (!used.contains(volume.getName())) {
        problems.add(Problem.warning(rule(), workload.manifest(), workload.podPath() + ".volumes",
            "no container mounts volume \"" + volume.getName() + "\".", "Mount it or remove it."));
      }
    }
    for (PersistentVolumeClaim claim : workload.claims()) {
      if (!used.contains(claim.getMetadata().getName())) {
        problems.add(Problem.error(rule(), workload.manifest(), "spec.volumeClaimTemplates",
            "no container mounts volume \"" + claim.getMetadata().getName() + "\": its data would be lost with the pod.", "Mount it."));
      }
    }
  }

  /** The second pod of a Deployment would wait for ever for a volume that another node has. */
  private void shared(Objects objects, Workload workload, List<Problem> problems) {
    if (!workload.kind().equals("Deployment")) {
      return;
    }
    boolean many = workload.replicas() > 1 || Pods.maximum(objects, workload) > 1;
    for (Volume volume : workload.pod().getVolumes()) {
      if (volume.getPersistentVolumeClaim() == null) {
        continue;
      }
      objects.find(PersistentVolumeClaim.class, volume.getPersistentVolumeClaim().getClaimName()).ifPresent(claim -> {
        List<String> modes = claim.getSpec().getAccessModes();
        boolean single = modes.stream().noneMatch(m -> m.equals("ReadWriteMany") || m.equals("ReadOnlyMany"));
        if (many && single) {
          problems.add(Problem.error(rule(), workload.manifest(), workload.podPath() + ".volumes",
              "up to " + Math.max(workload.replicas(), Pods.maximum(objects, workload)) + " pods share claim \""
                  + claim.getMetadata().getName() + "\", which is " + modes + ": pods on a second node never start.",
              "Use a ReadWriteMany class, or run one pod without a HorizontalPodAutoscaler."));
        } else if (single && rolls(workload)) {
          problems.add(Problem.warning(rule(), workload.manifest(), "spec.strategy",
              "claim \"" + claim.getMetadata().getName() + "\" is " + modes + ": an upgrade can wait for ever for the old pod to let go.",
              "Use strategy Recreate, or a ReadWriteMany class."));
        }
      });
    }
  }

  private static boolean rolls(Workload workload) {
    return !workload.manifest().tree().path("spec").path("strategy").path("type").asText("RollingUpdate").equals("Recreate");
  }
}
