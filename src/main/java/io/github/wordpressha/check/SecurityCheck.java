package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.Capabilities;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Volume;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What the Pod Security level "restricted" refuses, and what a careful team asks for beyond it. */
public final class SecurityCheck implements Check {

  private static final Set<String> ALLOWED_CAPABILITIES = Set.of("NET_BIND_SERVICE");

  @Override
  public String rule() {
    return "security";
  }

  @Override
  public String description() {
    return "Pods pass the Pod Security level restricted, have a read-only root file system, and no token that they do not use.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    objects.workloads().forEach(w -> {
      pod(w, problems);
      w.containers().forEach(c -> container(w, c, problems));
    });
    return problems;
  }

  private void pod(Workload workload, List<Problem> problems) {
    for (String field : List.of("hostNetwork", "hostPID", "hostIPC")) {
      var tree = at(workload).path(field);
      if (tree.asBoolean(false)) {
        add(workload, workload.podPath() + "." + field, "the pod shares the node's " + field.substring(4).toLowerCase(java.util.Locale.ROOT) + ".",
            "Remove it.", problems);
      }
    }
    for (Volume volume : workload.pod().getVolumes()) {
      if (volume.getHostPath() != null) {
        add(workload, workload.podPath() + ".volumes", "volume \"" + volume.getName() + "\" is a directory of the node: "
            + volume.getHostPath().getPath() + ".", "Use a claim or an emptyDir.", problems);
      }
    }
  }

  private void container(Workload workload, Workload.Placed placed, List<Problem> problems) {
    Container container = placed.container();
    SecurityContext own = container.getSecurityContext() == null ? new SecurityContext() : container.getSecurityContext();
    PodSecurityContext pod = workload.pod().getSecurityContext() == null ? new PodSecurityContext() : workload.pod().getSecurityContext();
    String path = placed.path() + ".securityContext";

    Boolean nonRoot = own.getRunAsNonRoot() != null ? own.getRunAsNonRoot() : pod.getRunAsNonRoot();
    Long user = own.getRunAsUser() != null ? own.getRunAsUser() : pod.getRunAsUser();
    if (!Boolean.TRUE.equals(nonRoot) || user != null && user == 0) {
      add(workload, path, name(container) + " may run as root.", "Set runAsNonRoot: true and a runAsUser other than 0.", problems);
    }
    if (!Boolean.FALSE.equals(own.getAllowPrivilegeEscalation())) {
      add(workload, path, name(container) + " may gain privileges.", "Set allowPrivilegeEscalation: false.", problems);
    }
    if (Boolean.TRUE.equals(own.getPrivileged())) {
      add(workload, path, name(container) + " is privileged: it owns the node.", "Remove privileged.", problems);
    }
    capabilities(workload, path, container, own.getCapabilities(), problems);
    var seccomp = own.getSeccompProfile() != null ? own.getSeccompProfile() : pod.getSeccompProfile();
    if (seccomp == null || "Unconfined".equals(seccomp.getType())) {
      add(workload, path, name(container) + " may make any system call.", "Set seccompProfile.type: RuntimeDefault.", problems);
    }
    if (!Boolean.TRUE.equals(own.getReadOnlyRootFilesystem())) {
      add(workload, path, name(container) + " can change its own image.", "Set readOnlyRootFilesystem: true and mount what it writes.", problems);
    }
  }

  private void capabilities(Workload workload, String path, Container container, Capabilities capabilities, List<Problem> problems) {
    if (capabilities == null || !capabilities.getDrop().contains("ALL")) {
      add(workload, path + ".capabilities", name(container) + " keeps the default capabilities.", "Drop ALL.", problems);
    }
    if (capabilities != null) {
      capabilities.getAdd().stream().filter(c -> !ALLOWED_CAPABILITIES.contains(c)).forEach(c ->
          add(workload, path + ".capabilities", name(container) + " adds the capability " + c + ".", "Remove it.", problems));
    }
  }

  private static com.fasterxml.jackson.databind.JsonNode at(Workload workload) {
    com.fasterxml.jackson.databind.JsonNode node = workload.manifest().tree();
    for (String key : workload.podPath().split("\\.")) {
      node = node.path(key);
    }
    return node;
  }

  private static String name(Container container) {
    return "container \"" + container.getName() + "\"";
  }

  private void add(Workload workload, String path, String message, String advice, List<Problem> problems) {
    problems.add(Problem.warning(rule(), workload.manifest(), path, message, advice));
  }
}
