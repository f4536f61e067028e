package io.github.wordpressha.image;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.check.Workload;
import io.github.wordpressha.image.Fact.Kind;
import io.github.wordpressha.image.ImageUse.Mount;
import io.github.wordpressha.image.ImageUse.Source;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the containers of a release rely on in their images: read from their commands, scripts and configuration. */
public final class ImageUses {

  /** The accounts that images have for their servers, by repository; the chart runs these servers under the same ID. */
  private static final Map<String, String> ACCOUNTS = Map.of(
      "library/haproxy", "haproxy", "library/nginx", "nginx", "library/wordpress", "www-data", "library/mysql", "mysql",
      "percona/percona-xtradb-cluster", "mysql");

  /** The image that runs PHP. */
  private static final String PHP = "library/wordpress";

  /** Images without a shell: only the server itself can be started in them. */
  private static final Set<String> SHELL_LESS = Set.of("coreos/etcd");

  /** Scripts that people start with {@code kubectl exec}, by repository and container. */
  private static final Map<String, List<String>> BY_HAND = Map.of(
      "percona/percona-xtradb-cluster mysql", List.of("/scripts/rotate.sh", "/scripts/override.sh"),
      "percona/percona-xtradb-cluster elector", List.of("/scripts/override.sh"),
      "library/mysql mysql", List.of("/scripts/rotate.sh"));

  /** The option with which a server tests its configuration. */
  private static final Map<String, String> TESTS = Map.of("haproxy", "-c", "nginx", "-t", "php-fpm", "-t");

  /** What in a file of PHP or its settings shows that an extension is needed. */
  private static final Map<String, Pattern> EXTENSIONS = Map.of(
      "ctype", Pattern.compile("\\bctype_\\w+\\("),
      "curl", Pattern.compile("\\bcurl_\\w+\\("),
      "json", Pattern.compile("\\bjson_\\w+\\("),
      "mbstring", Pattern.compile("\\bmb_\\w+\\("),
      "mysqli", Pattern.compile("\\bmysqli(_\\w+\\(|\\b)"),
      "openssl", Pattern.compile("\\bopenssl[_.]\\w+"),
      "posix", Pattern.compile("\\bposix_\\w+\\("),
      "pcntl", Pattern.compile("\\bpcntl_\\w+\\("),
      "zip", Pattern.compile("\\bZipArchive\\b"),
      "Zend OPcache", Pattern.compile("\\bopcache[_.]\\w+"));

  private static final Pattern SHELL_IN_PHP = Pattern.compile("\\b(?:shell_exec|exec|popen)\\((.*)\\)");
  private static final Pattern LITERAL = Pattern.compile("'([^']*)'");
  private static final Pattern OF_IMAGE = Pattern.compile("/(?:etc|usr)/[\\w./-]*\\w");

  private ImageUses() {}

  /** Every container of the release. */
  public static Stream<ImageUse> of(Objects objects) {
    return objects.workloads().stream().flatMap(w -> w.containers().stream().map(c -> use(objects, w, c.container())));
  }

  /** The same uses, each fact only where it is still to be checked: once for an image, or once for equal containers. */
  public static List<ImageUse> withoutRepeats(Stream<ImageUse> uses) {
    var seen = new TreeSet<String>();
    return uses.map(use -> {
      var facts = new TreeSet<Fact>();
      use.facts().stream().filter(f -> seen.add(key(use, f))).forEach(facts::add);
      return new ImageUse(use.image(), use.container(), use.user(), use.readOnly(), use.environment(), use.mounts(), facts);
    }).filter(use -> !use.facts().isEmpty()).toList();
  }

  private static String key(ImageUse use, Fact fact) {
    return use.image() + "\t" + fact.line() + "\t" + switch (fact.kind()) {
      case SCRIPT -> String.valueOf(files(use.mounts()).getOrDefault(fact.subject(), "").hashCode());
      case ACCEPTS -> use.user() + use.mounts();
      case READABLE, WRITABLE -> use.user();
      default -> "";
    };
  }

  private static ImageUse use(Objects objects, Workload workload, Container container) {
    // An empty directory in /etc is filled with the image's own files by a script: what is checked are these.
    List<Mount> mounts = container.getVolumeMounts().stream().map(m -> mount(objects, workload, m))
        .filter(m -> m.source() != Source.DIRECTORY || !m.path().startsWith("/etc/")).sorted(Comparator.comparing(Mount::path)).toList();
    var environment = new TreeMap<String, String>();
    container.getEnv().stream().filter(e -> e.getValue() != null).forEach((EnvVar e) -> environment.put(e.getName(), e.getValue()));
    var use = new ImageUse(container.getImage(), container.getName(), user(workload, container),
        security(container).map(SecurityContext::getReadOnlyRootFilesystem).orElse(false), environment, mounts, new TreeSet<>());
    if (SHELL_LESS.contains(use.repository())) {
      use.facts().add(new Fact(Kind.STARTS, container.getCommand().get(0), "--version"));
    } else {
      addFacts(use, container);
    }
    return use;
  }

  private static void addFacts(ImageUse use, Container container) {
    SortedSet<Fact> facts = use.facts();
    Map<String, String> files = files(use.mounts());
    var lines = commandLines(container);
    BY_HAND.getOrDefault(use.repository() + " " + use.container(), List.of()).stream().filter(files::containsKey).forEach(f -> lines.add(List.of("bash", f)));
    if (use.repository().equals(PHP)) {
      addPhp(facts, files);
      files.values().forEach(content -> addShellOfPhp(content, lines));
    }
    var reached = new ReachedCommands(lines, files);
    reached.programs().forEach((program, commands) -> {
      facts.add(new Fact(Kind.PROGRAM, program, ""));
      commands.forEach(c -> c.options().forEach(o -> facts.add(new Fact(Kind.OPTION, program, o))));
    });
    reached.scripts().forEach(path -> facts.add(new Fact(Kind.SCRIPT, path, files.get(path).startsWith("#!/bin/sh") ? "sh -n" : "bash -n")));
    reached.words().stream().filter(w -> OF_IMAGE.matcher(w).matches() && !isMounted(use, w)).forEach(w -> facts.add(new Fact(Kind.READABLE, w, "")));
    use.mounts().stream().filter(m -> m.source() == Source.DIRECTORY).forEach(m -> facts.add(new Fact(Kind.WRITABLE, m.path(), "")));
    addConfigurations(use, container.getCommand(), reached.programs().containsKey("mysqld"));
    String account = ACCOUNTS.get(use.repository());
    if (account != null && facts.stream().anyMatch(f -> f.kind() == Kind.ACCEPTS)) {
      facts.add(new Fact(Kind.USER, account, use.user().replaceFirst(":.*", "")));
    }
  }

  private static void addConfigurations(ImageUse use, List<String> command, boolean runsServer) {
    String program = command.isEmpty() ? "" : command.get(0);
    if (TESTS.containsKey(program)) {
      var words = new ArrayList<>(List.of(TESTS.get(program)));
      command.subList(1, command.size()).forEach(w -> words.add(w.contains(" ") ? "'" + w + "'" : w));
      use.facts().add(new Fact(Kind.ACCEPTS, program, String.join(" ", words)));
    }
    if (runsServer && files(use.mounts()).keySet().stream().anyMatch(f -> f.endsWith(".cnf"))) {
      use.facts().add(new Fact(Kind.ACCEPTS, "mysqld", "--validate-config"));
    }
  }

  private static void addPhp(SortedSet<Fact> facts, Map<String, String> files) {
    files.forEach((path, content) -> {
      boolean php = isPhp(path, content);
      if (php) {
        facts.add(new Fact(Kind.SCRIPT, path, "php -l"));
      }
      if (php || path.endsWith(".ini")) {
        EXTENSIONS.forEach((extension, sign) -> {
          if (sign.matcher(content).find()) {
            facts.add(new Fact(Kind.EXTENSION, extension, ""));
          }
        });
      }
    });
  }

  private static boolean isPhp(String path, String content) {
    return path.endsWith(".php") || content.startsWith("#!/usr/bin/env php") || content.startsWith("<?php");
  }

  /** The command lines of a container, its probes and its hooks. */
  private static List<List<String>> commandLines(Container container) {
    var lines = new ArrayList<List<String>>();
    lines.add(Stream.concat(container.getCommand().stream(), container.getArgs().stream()).toList());
    Stream.of(container.getLivenessProbe(), container.getReadinessProbe(), container.getStartupProbe())
        .filter(p -> p != null && p.getExec() != null).map((Probe p) -> p.getExec().getCommand()).forEach(lines::add);
    Optional.ofNullable(container.getLifecycle()).stream().flatMap(l -> Stream.of(Optional.ofNullable(l.getPreStop()), Optional.ofNullable(l.getPostStart())))
        .flatMap(Optional::stream).filter(h -> h.getExec() != null).forEach(h -> lines.add(h.getExec().getCommand()));
    return lines;
  }

  /** What a PHP file gives to a shell; numbers stand for its constants. */
  private static void addShellOfPhp(String content, List<List<String>> lines) {
    Matcher call = SHELL_IN_PHP.matcher(isPhp("", content) ? content : "");
    while (call.find()) {
      lines.add(List.of("sh", "-c", String.join(" 1 ", LITERAL.matcher(call.group(1)).results().map(r -> r.group(1)).toList())));
    }
  }

  private static boolean isMounted(ImageUse use, String path) {
    return use.mounts().stream().anyMatch(m -> (path + "/").startsWith(m.path() + "/"));
  }

  private static Map<String, String> files(List<Mount> mounts) {
    var files = new TreeMap<String, String>();
    mounts.forEach(m -> files.putAll(m.paths()));
    return files;
  }

  private static Mount mount(Objects objects, Workload workload, VolumeMount mount) {
    Volume volume = workload.pod().getVolumes().stream().filter(v -> v.getName().equals(mount.getName())).findFirst().orElse(new Volume());
    if (volume.getConfigMap() == null) {
      Source source = volume.getSecret() != null || volume.getProjected() != null ? Source.SECRET : Source.DIRECTORY;
      return new Mount(mount.getMountPath(), source, Map.of());
    }
    var content = new LinkedHashMap<String, String>();
    objects.find("ConfigMap", volume.getConfigMap().getName())
        .ifPresent(m -> m.tree().path("data").fields().forEachRemaining(e -> content.put(e.getKey(), e.getValue().asText())));
    if (!volume.getConfigMap().getItems().isEmpty()) {
      var all = Map.copyOf(content);
      content.clear();
      volume.getConfigMap().getItems().forEach(i -> content.put(i.getPath(), all.getOrDefault(i.getKey(), "")));
    }
    return mount.getSubPath() == null
        ? new Mount(mount.getMountPath(), Source.FILES, content)
        : new Mount(mount.getMountPath(), Source.FILES, Map.of("", content.getOrDefault(mount.getSubPath(), "")));
  }

  private static Optional<SecurityContext> security(Container container) {
    return Optional.ofNullable(container.getSecurityContext());
  }

  private static String user(Workload workload, Container container) {
    var pod = Optional.ofNullable(workload.pod().getSecurityContext());
    long user = security(container).map(SecurityContext::getRunAsUser).or(() -> pod.map(p -> p.getRunAsUser())).orElse(0L);
    long group = security(container).map(SecurityContext::getRunAsGroup).or(() -> pod.map(p -> p.getRunAsGroup())).orElse(user);
    return user + ":" + group;
  }
}
