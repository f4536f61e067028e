package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Ports and mounts that nothing in the pod's own configuration speaks of. An image may know them by itself, so these are
 * notes; in a pod that brings its configuration along they are usually a slip of the pen.
 */
public final class MentionCheck implements Check {

  /** Places that every program knows, or that the images of this trade use by themselves. */
  private static final Set<String> WELL_KNOWN = Set.of(
      "/tmp", "/run", "/var/run", "/var/tmp", "/dev/shm", "/var/cache", "/var/log", "/var/lib/mysql", "/var/lib/etcd", "/var/www/html",
      "/var/www/html/wp-content", "/usr/src/wordpress", "/usr/local/etc/php/conf.d", "/usr/local/etc/php-fpm.d", "/etc/nginx", "/etc/nginx/conf.d",
      "/etc/nginx/nginx.conf", "/usr/local/etc/haproxy", "/etc/mysql", "/etc/mysql/conf.d", "/etc/my.cnf.d", "/etc/my.cnf", "/docker-entrypoint-initdb.d", "/export", "/data");

  @Override
  public String rule() {
    return "mention";
  }

  @Override
  public String description() {
    return "Ports and mounts of a pod that brings its own configuration are mentioned in it.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      boolean configured = workload.pod().getVolumes().stream().anyMatch(v -> v.getConfigMap() != null);
      if (configured) {
        check(workload, text(objects, workload), problems);
      }
    }
    return problems;
  }

  private void check(Workload workload, String text, List<Problem> problems) {
    for (Workload.Placed placed : workload.containers()) {
      for (ContainerPort port : placed.container().getPorts()) {
        if (!mentions(text, port.getContainerPort())) {
          problems.add(Problem.note(rule(), workload.manifest(), placed.path() + ".ports",
              "nothing that the pod is given mentions port " + port.getContainerPort() + ".", "Make sure that the image listens on it."));
        }
      }
      for (VolumeMount mount : placed.container().getVolumeMounts()) {
        if (!WELL_KNOWN.contains(mount.getMountPath()) && !text.contains(mount.getMountPath())) {
          problems.add(Problem.note(rule(), workload.manifest(), placed.path() + ".volumeMounts",
              "nothing that the pod is given mentions " + mount.getMountPath() + ".", "Make sure that the image reads it."));
        }
      }
    }
  }

  /** A port is mentioned where its digits stand alone: 80 is not in 8080. */
  private static boolean mentions(String text, int port) {
    String digits = String.valueOf(port);
    for (int at = text.indexOf(digits); at >= 0; at = text.indexOf(digits, at + 1)) {
      int end = at + digits.length();
      boolean before = at > 0 && Character.isDigit(text.charAt(at - 1));
      boolean after = end < text.length() && Character.isDigit(text.charAt(end));
      if (!before && !after) {
        return true;
      }
    }
    return false;
  }

  /** Commands, variables, probes and mounted files of all containers of the pod. Mounts themselves do not count. */
  private static String text(Objects objects, Workload workload) {
    var text = new StringBuilder();
    for (Workload.Placed placed : workload.containers()) {
      var container = placed.container();
      container.getCommand().forEach(t -> text.append(t).append('\n'));
      container.getArgs().forEach(t -> text.append(t).append('\n'));
      container.getEnv().stream().filter(e -> e.getValue() != null).forEach(e -> text.append(e.getValue()).append('\n'));
      for (Object part : new Object[] {container.getLivenessProbe(), container.getReadinessProbe(), container.getStartupProbe(), container.getLifecycle()}) {
        text.append(part).append('\n');
      }
    }
    workload.pod().getVolumes().stream()
        .filter(v -> v.getConfigMap() != null)
        .flatMap(v -> objects.find("ConfigMap", v.getConfigMap().getName()).stream())
        .forEach(m -> m.tree().path("data").forEach(d -> text.append(d.asText()).append('\n')));
    return text.toString();
  }
}
