package io.github.wordpressha.manifest;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LimitRange;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.Gateway;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GatewayClass;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClass;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The kinds of object that a chart may create: the stable APIs of the supported Kubernetes versions, as typed classes,
 * and the custom resources that charts commonly carry. Anything else is an error, so that a misspelt apiVersion is
 * found rather than waved through.
 */
public final class ApiCatalog {

  /** Kinds by {@code apiVersion kind}. */
  private static final Map<String, Class<? extends HasMetadata>> TYPES = Stream.<Class<? extends HasMetadata>>of(
          ConfigMap.class, Endpoints.class, LimitRange.class, Namespace.class, PersistentVolume.class,
          PersistentVolumeClaim.class, Pod.class, ReplicationController.class, ResourceQuota.class, Secret.class,
          Service.class, ServiceAccount.class, MutatingWebhookConfiguration.class, ValidatingWebhookConfiguration.class,
          CustomResourceDefinition.class, ControllerRevision.class, DaemonSet.class, Deployment.class, ReplicaSet.class,
          StatefulSet.class, HorizontalPodAutoscaler.class, CronJob.class, Job.class, Lease.class, Ingress.class,
          IngressClass.class, NetworkPolicy.class, PodDisruptionBudget.class, ClusterRole.class, ClusterRoleBinding.class,
          Role.class, RoleBinding.class, PriorityClass.class, StorageClass.class, Gateway.class, GatewayClass.class,
          HTTPRoute.class)
      .collect(Collectors.toUnmodifiableMap(
          type -> HasMetadata.getApiVersion(type) + " " + HasMetadata.getKind(type), Function.identity()));

  /** Custom resources; their fields are described in {@code schemas/extensions.json}. */
  private static final Set<String> CUSTOM = Set.of(
      "cert-manager.io/v1 Certificate",
      "cert-manager.io/v1 Issuer",
      "monitoring.coreos.com/v1 PodMonitor",
      "monitoring.coreos.com/v1 PrometheusRule",
      "monitoring.coreos.com/v1 ServiceMonitor",
      "snapshot.storage.k8s.io/v1 VolumeSnapshot",
      "snapshot.storage.k8s.io/v1 VolumeSnapshotClass",
      "stork.libopenstorage.org/v1alpha1 SchedulePolicy",
      "stork.libopenstorage.org/v1alpha1 VolumeSnapshotSchedule");

  private static final Set<String> CLUSTER_SCOPED = Set.of(
      "Namespace", "PersistentVolume", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
      "CustomResourceDefinition", "IngressClass", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "StorageClass",
      "GatewayClass", "VolumeSnapshotClass", "SchedulePolicy");

  /** Versions that were removed from Kubernetes, with the minor version that no longer has them, and what to write. */
  private static final Map<String, Removed> REMOVED = Map.of(
      "policy/v1beta1", new Removed(25, "policy/v1"),
      "batch/v1beta1", new Removed(25, "batch/v1"),
      "autoscaling/v2beta1", new Removed(25, "autoscaling/v2"),
      "autoscaling/v2beta2", new Removed(26, "autoscaling/v2"),
      "networking.k8s.io/v1beta1", new Removed(22, "networking.k8s.io/v1"),
      "extensions/v1beta1", new Removed(22, "apps/v1 or networking.k8s.io/v1"),
      "apps/v1beta1", new Removed(16, "apps/v1"),
      "apps/v1beta2", new Removed(16, "apps/v1"),
      "rbac.authorization.k8s.io/v1beta1", new Removed(22, "rbac.authorization.k8s.io/v1"),
      "flowcontrol.apiserver.k8s.io/v1beta3", new Removed(32, "flowcontrol.apiserver.k8s.io/v1"));

  /**
   * @param minor the Kubernetes 1.x that no longer serves the version
   * @param replacement what to write instead
   */
  public record Removed(int minor, String replacement) {}

  private ApiCatalog() {}

  public static Optional<Class<? extends HasMetadata>> type(Manifest manifest) {
    return Optional.ofNullable(TYPES.get(manifest.type()));
  }

  public static boolean isCustom(Manifest manifest) {
    return CUSTOM.contains(manifest.type());
  }

  public static boolean isClusterScoped(Manifest manifest) {
    return CLUSTER_SCOPED.contains(manifest.kind());
  }

  public static Optional<Removed> removed(String apiVersion) {
    return Optional.ofNullable(REMOVED.get(apiVersion));
  }

  /** All kinds that are known, as {@code apiVersion kind}. */
  public static Set<String> known() {
    return Stream.concat(TYPES.keySet().stream(), CUSTOM.stream()).collect(Collectors.toUnmodifiableSet());
  }
}
