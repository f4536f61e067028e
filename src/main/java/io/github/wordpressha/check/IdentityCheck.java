package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.manifest.Spelling;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** DNS: a StatefulSet's pods have names only through a headless Service, and names in configuration must exist. */
public final class IdentityCheck implements Check {

  /** {@code host.namespace.svc} and {@code pod.service.namespace.svc}; the host may be a script's variable. */
  private static final Pattern CLUSTER_NAME = Pattern.compile("(?<![\\w.$}-])((?:[a-z0-9-]+\\.)?)([a-z0-9-]+)\\.([a-z0-9-]+)\\.svc\\b");
  /** {@code http://host:port}, {@code tcp://host}. */
  private static final Pattern URL_HOST = Pattern.compile("\\b[a-z]+://(?:[^/@\\s]*@)?([a-z0-9][a-z0-9.-]*)");

  @Override
  public String rule() {
    return "identity";
  }

  @Override
  public String description() {
    return "StatefulSets have their headless Service, and DNS names of the release that scripts and settings use exist.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    objects.all(StatefulSet.class).forEach(e -> headless(objects, e.getKey(), e.getValue(), problems));
    for (Workload workload : objects.workloads()) {
      for (Workload.Placed placed : workload.containers()) {
        var container = placed.container();
        container.getEnv().stream().filter(e -> e.getValue() != null)
            .forEach(e -> text(objects, workload.manifest(), placed.path() + ".env." + e.getName(), e.getValue(), problems));
        container.getCommand().forEach(t -> text(objects, workload.manifest(), placed.path() + ".command", t, problems));
        container.getArgs().forEach(t -> text(objects, workload.manifest(), placed.path() + ".args", t, problems));
      }
    }
    for (Manifest manifest : objects.manifests()) {
      if (manifest.kind().equals("ConfigMap")) {
        for (Map.Entry<String, com.fasterxml.jackson.databind.JsonNode> entry : manifest.tree().path("data").properties()) {
          text(objects, manifest, "data." + entry.getKey(), entry.getValue().asText(), problems);
        }
      }
    }
    return problems;
  }

  private void headless(Objects objects, Manifest manifest, StatefulSet set, List<Problem> problems) {
    String name = set.getSpec().getServiceName();
    var service = name == null ? java.util.Optional.<Service>empty() : objects.find(Service.class, name);
    if (service.isEmpty()) {
      problems.add(Problem.error(rule(), manifest, "spec.serviceName", "there is no Service \"" + name + "\": the pods have no DNS names.",
          name == null ? "" : Spelling.didYouMean(name, objects.names("Service"))));
      return;
    }
    Map<String, String> labels = set.getSpec().getTemplate().getMetadata().getLabels();
    if (set.getSpec().getReplicas() != null && set.getSpec().getReplicas() > 1 && !"None".equals(service.get().getSpec().getClusterIP())) {
      problems.add(Problem.error(rule(), manifest, "spec.serviceName",
          "Service \"" + name + "\" is not headless: the pods have no DNS names of their own.", "Set clusterIP: None in it."));
    }
    Map<String, String> selector = service.get().getSpec().getSelector();
    if (selector != null && labels != null && !labels.entrySet().containsAll(selector.entrySet())) {
      problems.add(Problem.error(rule(), manifest, "spec.serviceName", "Service \"" + name + "\" does not select these pods.", ""));
    }
  }

  /** Scripts are long and names rare: only lines that can hold one are looked at closely. */
  private void text(Objects objects, Manifest manifest, String path, String text, List<Problem> problems) {
    if (text.contains(".svc") || text.contains("://")) {
      text.lines().filter(l -> l.contains(".svc") || l.contains("://")).forEach(l -> line(objects, manifest, path, l, problems));
    }
  }

  private void line(Objects objects, Manifest manifest, String path, String text, List<Problem> problems) {
    Matcher names = CLUSTER_NAME.matcher(text);
    while (names.find()) {
      if (names.group(3).equals(objects.release().namespace())) {
        // Read as pod.service.namespace, or as service.namespace.
        service(objects, manifest, path, names.group(2), names.group(), problems);
        pod(objects, manifest, path, names.group(1).replace(".", ""), names.group(2), problems);
      }
    }
    Matcher urls = URL_HOST.matcher(text);
    while (urls.find()) {
      String host = urls.group(1);
      if (!host.contains(".") && host.startsWith(objects.release().name())) {
        service(objects, manifest, path, host, host, problems);
      }
    }
  }

  private void service(Objects objects, Manifest manifest, String path, String service, String text, List<Problem> problems) {
    boolean apiServer = service.equals("kubernetes") && objects.release().namespace().equals("default");
    if (!objects.has("Service", service) && !apiServer) {
      problems.add(Problem.error(rule(), manifest, path, "\"" + text + "\" does not exist: there is no Service \"" + service + "\".",
          Spelling.didYouMean(service, new TreeSet<>(objects.names("Service")))));
    }
  }

  private void pod(Objects objects, Manifest manifest, String path, String pod, String service, List<Problem> problems) {
    Matcher ordinal = Pattern.compile("(.+)-(\\d+)").matcher(pod);
    if (!ordinal.matches() || !objects.has("Service", service)) {
      return;
    }
    var set = objects.find(StatefulSet.class, ordinal.group(1));
    if (set.isEmpty()) {
      problems.add(Problem.error(rule(), manifest, path, "there is no StatefulSet \"" + ordinal.group(1) + "\" for pod \"" + pod + "\".",
          Spelling.didYouMean(ordinal.group(1), objects.names("StatefulSet"))));
    } else if (set.get().getSpec().getReplicas() != null && Integer.parseInt(ordinal.group(2)) >= set.get().getSpec().getReplicas()) {
      problems.add(Problem.error(rule(), manifest, path,
          "there is no pod \"" + pod + "\": StatefulSet \"" + ordinal.group(1) + "\" has " + set.get().getSpec().getReplicas() + ".", ""));
    }
  }
}
