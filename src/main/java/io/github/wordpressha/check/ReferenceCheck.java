package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.api.model.autoscaling.v2.CrossVersionObjectReference;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.RoleRef;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Names that point at nothing: ConfigMaps and Secrets with their keys, accounts, claims, roles, targets, services. */
public final class ReferenceCheck implements Check {

  @Override
  public String rule() {
    return "reference";
  }

  @Override
  public String description() {
    return "Every ConfigMap, Secret, key, ServiceAccount, claim, role, Service and scale target that is named exists.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    return new Run(objects).all();
  }

  private final class Run {

    private final Objects objects;
    private final List<Problem> problems = new ArrayList<>();

    Run(Objects objects) {
      this.objects = objects;
    }

    List<Problem> all() {
      objects.workloads().forEach(this::workload);
      objects.all(HorizontalPodAutoscaler.class).forEach(e -> scaled(e.getKey(), e.getValue().getSpec().getScaleTargetRef()));
      objects.all(RoleBinding.class).forEach(e -> binding(e.getKey(), e.getValue().getRoleRef(), e.getValue().getSubjects()));
      objects.all(ClusterRoleBinding.class).forEach(e -> binding(e.getKey(), e.getValue().getRoleRef(), e.getValue().getSubjects()));
      objects.all(Ingress.class).forEach(e -> ingress(e.getKey(), e.getValue()));
      objects.all(PersistentVolumeClaim.class).forEach(e -> claim(e.getKey(), "spec", e.getValue()));
      return problems;
    }

    private void scaled(Manifest autoscaler, CrossVersionObjectReference target) {
      exists(autoscaler, "spec.scaleTargetRef.name", target.getKind(), target.getName());
      objects.manifests().stream()
          .filter(m -> m.kind().equals(target.getKind()) && m.name().equals(target.getName()) && !m.apiVersion().equals(target.getApiVersion()))
          .forEach(m -> add(autoscaler, "spec.scaleTargetRef.apiVersion",
              m.id() + " is of " + m.apiVersion() + ", not of " + target.getApiVersion() + ": it would not be scaled.", "Write " + m.apiVersion() + "."));
    }

    private void workload(Workload workload) {
      Manifest manifest = workload.manifest();
      String account = workload.pod().getServiceAccountName();
      if (account != null && !account.equals("default")) {
        exists(manifest, workload.podPath() + ".serviceAccountName", "ServiceAccount", account);
      }
      for (int i = 0; i < workload.pod().getVolumes().size(); i++) {
        volume(manifest, workload.podPath() + ".volumes[" + i + "]", workload.pod().getVolumes().get(i));
      }
      for (Workload.Placed placed : workload.containers()) {
        environment(manifest, placed);
        mounts(workload, placed);
      }
      for (int i = 0; i < workload.claims().size(); i++) {
        claim(manifest, "spec.volumeClaimTemplates[" + i + "].spec", workload.claims().get(i));
      }
    }

    private void environment(Manifest manifest, Workload.Placed placed) {
      List<EnvVar> env = placed.container().getEnv();
      for (int i = 0; i < env.size(); i++) {
        var source = env.get(i).getValueFrom();
        String path = placed.path() + ".env[" + i + "].valueFrom";
        if (source != null && source.getSecretKeyRef() != null) {
          var ref = source.getSecretKeyRef();
          secret(manifest, path + ".secretKeyRef", ref.getName(), List.of(ref.getKey()), ref.getOptional());
        }
        if (source != null && source.getConfigMapKeyRef() != null) {
          var ref = source.getConfigMapKeyRef();
          configMap(manifest, path + ".configMapKeyRef", ref.getName(), List.of(ref.getKey()), ref.getOptional());
        }
      }
      List<EnvFromSource> envFrom = placed.container().getEnvFrom();
      for (int i = 0; i < envFrom.size(); i++) {
        String path = placed.path() + ".envFrom[" + i + "]";
        if (envFrom.get(i).getSecretRef() != null) {
          var ref = envFrom.get(i).getSecretRef();
          secret(manifest, path + ".secretRef", ref.getName(), List.of(), ref.getOptional());
        }
        if (envFrom.get(i).getConfigMapRef() != null) {
          var ref = envFrom.get(i).getConfigMapRef();
          configMap(manifest, path + ".configMapRef", ref.getName(), List.of(), ref.getOptional());
        }
      }
    }

    private void volume(Manifest manifest, String path, Volume volume) {
      if (volume.getSecret() != null) {
        var s = volume.getSecret();
        secret(manifest, path + ".secret", s.getSecretName(), keys(s.getItems()), s.getOptional());
      }
      if (volume.getConfigMap() != null) {
        var c = volume.getConfigMap();
        configMap(manifest, path + ".configMap", c.getName(), keys(c.getItems()), c.getOptional());
      }
      if (volume.getPersistentVolumeClaim() != null) {
        exists(manifest, path + ".persistentVolumeClaim.claimName", "PersistentVolumeClaim", volume.getPersistentVolumeClaim().getClaimName());
      }
      if (volume.getProjected() != null) {
        List<VolumeProjection> sources = volume.getProjected().getSources();
        for (int i = 0; i < sources.size(); i++) {
          String at = path + ".projected.sources[" + i + "]";
          if (sources.get(i).getSecret() != null) {
            var s = sources.get(i).getSecret();
            secret(manifest, at + ".secret", s.getName(), keys(s.getItems()), s.getOptional());
          }
          if (sources.get(i).getConfigMap() != null) {
            var c = sources.get(i).getConfigMap();
            configMap(manifest, at + ".configMap", c.getName(), keys(c.getItems()), c.getOptional());
          }
        }
      }
    }

    /** A mount of a single file of a ConfigMap or Secret which does not have it gives an empty directory instead. */
    private void mounts(Workload workload, Workload.Placed placed) {
      List<VolumeMount> mounts = placed.container().getVolumeMounts();
      for (int i = 0; i < mounts.size(); i++) {
        VolumeMount mount = mounts.get(i);
        if (mount.getSubPath() == null || mount.getSubPath().isEmpty()) {
          continue;
        }
        String path = placed.path() + ".volumeMounts[" + i + "].subPath";
        workload.pod().getVolumes().stream().filter(v -> v.getName().equals(mount.getName())).findFirst().ifPresent(volume -> {
          Optional<Set<String>> files = volume.getConfigMap() != null && volume.getConfigMap().getItems().isEmpty()
              ? objects.configMapKeys(volume.getConfigMap().getName())
              : volume.getConfigMap() != null
                  ? Optional.of(paths(volume.getConfigMap().getItems()))
                  : Optional.empty();
          files.filter(f -> !f.contains(mount.getSubPath())).ifPresent(f -> add(workload.manifest(), path,
              "volume \"" + volume.getName() + "\" has no file \"" + mount.getSubPath() + "\".", didYouMean(mount.getSubPath(), f)));
        });
      }
    }

    private void claim(Manifest manifest, String path, PersistentVolumeClaim claim) {
      String className = claim.getSpec() == null ? null : claim.getSpec().getStorageClassName();
      // A class that the cluster has is not ours to know; one that is named after the release must be made by it.
      if (className != null && className.contains(objects.release().name() + "-") && !objects.has("StorageClass", className)) {
        add(manifest, path + ".storageClassName", "no StorageClass \"" + className + "\" is created here.",
            didYouMean(className, objects.names("StorageClass")));
      }
    }

    private void binding(Manifest manifest, RoleRef role, List<Subject> subjects) {
      boolean builtIn = role.getKind().equals("ClusterRole")
          && (role.getName().startsWith("system:") || Set.of("view", "edit", "admin", "cluster-admin").contains(role.getName()));
      if (!builtIn) {
        exists(manifest, "roleRef.name", role.getKind(), role.getName());
      }
      for (int i = 0; i < subjects.size(); i++) {
        Subject subject = subjects.get(i);
        boolean ours = subject.getNamespace() == null || subject.getNamespace().equals(objects.release().namespace());
        if ("ServiceAccount".equals(subject.getKind()) && ours && !subject.getName().equals("default")) {
          exists(manifest, "subjects[" + i + "].name", "ServiceAccount", subject.getName());
        }
      }
    }

    private void ingress(Manifest manifest, Ingress ingress) {
      for (var rule : ingress.getSpec().getRules()) {
        if (rule.getHttp() == null) {
          continue;
        }
        for (var path : rule.getHttp().getPaths()) {
          if (path.getBackend().getService() != null) {
            exists(manifest, "spec.rules.http.paths.backend.service.name", "Service", path.getBackend().getService().getName());
          }
        }
      }
    }

    private void exists(Manifest manifest, String path, String kind, String name) {
      if (!objects.has(kind, name) && !objects.isExternal(name)) {
        add(manifest, path, "there is no " + kind + " \"" + name + "\".", didYouMean(name, objects.names(kind)));
      }
    }

    private void secret(Manifest manifest, String path, String name, List<String> keys, Boolean optional) {
      content(manifest, path, "Secret", name, keys, optional, objects.secretKeys(name));
    }

    private void configMap(Manifest manifest, String path, String name, List<String> keys, Boolean optional) {
      content(manifest, path, "ConfigMap", name, keys, optional, objects.configMapKeys(name));
    }

    private void content(
        Manifest manifest, String path, String kind, String name, List<String> keys, Boolean optional, Optional<Set<String>> known) {
      if (objects.isExternal(name)) {
        return;
      }
      if (known.isEmpty()) {
        if (!Boolean.TRUE.equals(optional)) {
          add(manifest, path, "there is no " + kind + " \"" + name + "\".",
              didYouMean(name, objects.names(kind)).isEmpty()
                  ? "Create it, or give its name as an existing one in the values."
                  : didYouMean(name, objects.names(kind)));
        }
        return;
      }
      if (known.get().isEmpty() && kind.equals("Secret")) {
        return;
      }
      for (String key : keys) {
        if (!known.get().contains(key)) {
          add(manifest, path, kind + " \"" + name + "\" has no key \"" + key + "\".", didYouMean(key, known.get()));
        }
      }
    }

    private void add(Manifest manifest, String path, String message, String advice) {
      problems.add(Problem.error(rule(), manifest, path, message, advice));
    }
  }

  private static List<String> keys(List<KeyToPath> items) {
    return items == null ? List.of() : items.stream().map(KeyToPath::getKey).toList();
  }

  private static Set<String> paths(List<KeyToPath> items) {
    return items.stream().map(KeyToPath::getPath).collect(java.util.stream.Collectors.toSet());
  }

  private static String didYouMean(String name, Set<String> known) {
    return io.github.wordpressha.manifest.Spelling.didYouMean(name, known);
  }
}
