package io.github.wordpressha.image;

import io.github.wordpressha.image.ShellScript.Command;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a container can come to run: its commands, the scripts that these start or source, and the functions that are called in them. */
final class ReachedCommands {

  private static final Pattern VARIABLE = Pattern.compile("\\$\\{?(\\w+)(?:\\[@])?}?");

  private final Map<String, String> files;
  private final Map<String, ShellScript> scripts = new TreeMap<>();
  private final Map<String, List<String>> values = new HashMap<>();
  private final Set<String> functions = new TreeSet<>();
  private final Set<Command> commands = new LinkedHashSet<>();

  /**
   * @param entries the container's own command lines
   * @param files the mounted files by their paths
   */
  ReachedCommands(List<List<String>> entries, Map<String, String> files) {
    this.files = files;
    entries.forEach(words -> scripts.put("entry " + scripts.size(), ShellScript.parse(words.stream().map(w -> "'" + w.replace("'", "'\\''") + "'").collect(Collectors.joining(" ")))));
    int before;
    do {
      before = scripts.size() + functions.size() + commands.size();
      List.copyOf(scripts.values()).forEach(this::read);
    } while (before != scripts.size() + functions.size() + commands.size());
  }

  static boolean isShell(String content) {
    return content.lines().findFirst().filter(l -> l.matches("#!.*\\b(ba)?sh|# shellcheck shell=.*")).isPresent();
  }

  /** The paths of the scripts. */
  Set<String> scripts() {
    return scripts.keySet().stream().filter(files::containsKey).collect(Collectors.toCollection(TreeSet::new));
  }

  /** The programs, with the commands that run them. */
  Map<String, List<Command>> programs() {
    Set<String> defined = scripts.values().stream().flatMap(s -> s.functions().stream()).collect(Collectors.toSet());
    return commands.stream().map(this::resolved).flatMap(ReachedCommands::withStarted)
        .filter(c -> c.name().matches("[\\w/.-]+") && !c.name().startsWith("-") && !ShellScript.BUILTINS.contains(c.name()))
        .filter(c -> !defined.contains(c.name()) && !files.containsKey(c.name()))
        .collect(Collectors.groupingBy(Command::name, TreeMap::new, Collectors.toList()));
  }

  /** The words of all commands, and what variables hold by default. */
  Set<String> words() {
    var words = values.values().stream().flatMap(List::stream).collect(Collectors.toCollection(TreeSet::new));
    commands.forEach(c -> words.addAll(c.arguments()));
    return words;
  }

  private void read(ShellScript script) {
    script.values().forEach(values::putIfAbsent);
    for (Command command : script.commands()) {
      if (command.within().isEmpty() || functions.contains(command.within())) {
        commands.add(command);
        include(command.name());
        command.arguments().forEach(this::include);
      }
    }
  }

  /** Any word may call a function, and any that ends in a mounted file's name may start or source it. */
  private void include(String word) {
    functions.add(word);
    files.forEach((path, content) -> {
      String name = path.substring(path.lastIndexOf('/'));
      if (word.endsWith(name) && isShell(content) && !scripts.containsKey(path)) {
        scripts.put(path, ShellScript.parse(content));
      }
    });
  }

  /** The command with the variables replaced that hold its program or its options. */
  private Command resolved(Command command) {
    var words = new ArrayList<String>();
    words.addAll(expand(command.name()));
    command.arguments().forEach(a -> words.addAll(expand(a)));
    return new Command(command.within(), words.isEmpty() ? "" : words.get(0), words.isEmpty() ? words : words.subList(1, words.size()));
  }

  /** An image's entrypoint starts the command in its arguments. */
  private static Stream<Command> withStarted(Command command) {
    List<String> words = command.arguments();
    return command.name().endsWith("entrypoint.sh") && !words.isEmpty()
        ? Stream.of(new Command(command.within(), command.name(), List.of()), new Command(command.within(), words.get(0), words.subList(1, words.size())))
        : Stream.of(command);
  }

  private List<String> expand(String word) {
    var variable = VARIABLE.matcher(word);
    return variable.matches() ? values.getOrDefault(variable.group(1), List.of(word)) : List.of(word);
  }
}
