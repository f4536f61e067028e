package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.manifest.Spelling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Commands that start a script which no mounted ConfigMap has, and scripts that read one another. */
public final class ScriptCheck implements Check {

  private static final Pattern FILE = Pattern.compile("([\\w-][\\w.-]*\\.\\w+)(?![\\w/$*{])");
  private static final Pattern STARTED = Pattern.compile("(?<![\\w$}./-])(/[\\w./-]+)/([\\w.-]+\\.(?:sh|php|py))\\b");

  @Override
  public String rule() {
    return "script";
  }

  @Override
  public String description() {
    return "Every file below a mounted ConfigMap or Secret that a command, probe, hook or mounted script names is in it.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      for (Workload.Placed placed : workload.containers()) {
        container(objects, workload, placed, problems);
      }
    }
    return problems;
  }

  private void container(Objects objects, Workload workload, Workload.Placed placed, List<Problem> problems) {
    List<String> commands = commands(placed);
    var texts = new ArrayList<>(commands);
    texts.addAll(startedScripts(objects, workload, placed, commands));
    for (VolumeMount mount : placed.container().getVolumeMounts()) {
      if (mount.getSubPath() != null && !mount.getSubPath().isEmpty()) {
        continue;
      }
      files(objects, workload, mount.getName()).ifPresent(files -> {
        for (String text : texts) {
          named(mount.getMountPath(), text).stream().filter(f -> !files.contains(f)).forEach(f -> problems.add(
              Problem.error(rule(), workload.manifest(), placed.path(),
                  "container \"" + placed.container().getName() + "\" uses " + mount.getMountPath() + "/" + f + ", and volume \""
                      + mount.getName() + "\" has no such file.", Spelling.didYouMean(f, files))));
        }
      });
    }
    absent(objects, workload, placed, commands, problems);
  }

  /** An interpreter that is given a script by a path under no mount at all cannot start. */
  private void absent(Objects objects, Workload workload, Workload.Placed placed, List<String> commands, List<Problem> problems) {
    var scripts = new TreeSet<String>();
    workload.pod().getVolumes().forEach(v -> files(objects, workload, v.getName()).ifPresent(scripts::addAll));
    for (String command : commands) {
      Matcher path = STARTED.matcher(command);
      while (path.find()) {
        String directory = path.group(1);
        boolean mounted = placed.container().getVolumeMounts().stream()
            .anyMatch(m -> (directory + "/").startsWith(m.getMountPath().replaceAll("/$", "") + "/")
                || m.getMountPath().equals(directory + "/" + path.group(2)));
        if (!mounted && scripts.contains(path.group(2))) {
          problems.add(Problem.error(rule(), workload.manifest(), placed.path() + ".volumeMounts",
              "container \"" + placed.container().getName() + "\" uses " + path.group() + ", and nothing is mounted at " + directory + ".",
              "Mount the volume that has " + path.group(2) + " there."));
        }
      }
    }
  }

  private static List<String> commands(Workload.Placed placed) {
    var container = placed.container();
    var texts = new ArrayList<String>();
    texts.addAll(container.getCommand());
    texts.addAll(container.getArgs());
    for (var probe : new io.fabric8.kubernetes.api.model.Probe[] {
        container.getLivenessProbe(), container.getReadinessProbe(), container.getStartupProbe()}) {
      if (probe != null && probe.getExec() != null) {
        texts.addAll(probe.getExec().getCommand());
      }
    }
    if (container.getLifecycle() != null) {
      for (var hook : new io.fabric8.kubernetes.api.model.LifecycleHandler[] {
          container.getLifecycle().getPreStop(), container.getLifecycle().getPostStart()}) {
        if (hook != null && hook.getExec() != null) {
          texts.addAll(hook.getExec().getCommand());
        }
      }
    }
    container.getEnv().stream().filter(e -> e.getValue() != null).forEach(e -> texts.add(e.getValue()));
    return texts;
  }

  /** The scripts that the commands start, and those that these name in turn. */
  private static Set<String> startedScripts(Objects objects, Workload workload, Workload.Placed placed, List<String> commands) {
    var read = new TreeSet<String>();
    var found = new TreeSet<String>();
    var waiting = new ArrayList<>(commands);
    while (!waiting.isEmpty()) {
      String text = waiting.remove(0);
      for (VolumeMount mount : placed.container().getVolumeMounts()) {
        for (String file : named(mount.getMountPath(), text)) {
          if (read.add(mount.getName() + "/" + file)) {
            content(objects, workload, mount.getName(), file).map(ScriptCheck::withoutComments).filter(found::add).ifPresent(waiting::add);
          }
        }
      }
    }
    return found;
  }

  private static String withoutComments(String script) {
    return script.lines()
        .filter(l -> !l.stripLeading().startsWith("#") && !l.stripLeading().startsWith("//") && !l.stripLeading().startsWith("*"))
        .collect(java.util.stream.Collectors.joining("\n"));
  }

  /** File names directly below a directory that a text mentions. Names that are composed at run time are not seen. */
  private static Set<String> named(String directory, String text) {
    var names = new TreeSet<String>();
    String prefix = directory.replaceAll("/$", "") + "/";
    for (int at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + 1)) {
      boolean inside = at > 0 && (Character.isLetterOrDigit(text.charAt(at - 1)) || "$}._-".indexOf(text.charAt(at - 1)) >= 0);
      Matcher file = FILE.matcher(text).region(at + prefix.length(), text.length());
      if (!inside && file.lookingAt()) {
        names.add(file.group(1));
      }
    }
    return names;
  }

  private static Optional<Set<String>> files(Objects objects, Workload workload, String volumeName) {
    return volume(workload, volumeName).filter(v -> v.getConfigMap() != null).flatMap(v -> v.getConfigMap().getItems().isEmpty()
        ? objects.configMapKeys(v.getConfigMap().getName())
        : Optional.of(new TreeSet<>(v.getConfigMap().getItems().stream().map(i -> i.getPath()).toList())));
  }

  private static Optional<String> content(Objects objects, Workload workload, String volumeName, String file) {
    return volume(workload, volumeName).filter(v -> v.getConfigMap() != null).flatMap(v -> {
      String key = v.getConfigMap().getItems().stream().filter(i -> i.getPath().equals(file)).map(i -> i.getKey()).findFirst().orElse(file);
      return objects.find("ConfigMap", v.getConfigMap().getName()).map(m -> m.tree().path("data").path(key)).filter(n -> n.isTextual()).map(n -> n.asText());
    });
  }

  private static Optional<Volume> volume(Workload workload, String name) {
    return workload.pod().getVolumes().stream().filter(v -> v.getName().equals(name)).findFirst();
  }
}
