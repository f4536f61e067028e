package io.github.wordpressha.effects;

import io.github.wordpressha.TextFiles;
import io.github.wordpressha.ValueSpace;
import io.github.wordpressha.docs.ValuesReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Everything that may promise an effect: the sentences of the documents, and the values of the chart. */
final class Promises {

  static final String VALUES = "values.yaml";

  private static final List<String> DOCUMENTS = List.of("README.md", "docs/architecture.md", "docs/operations.md", "SECURITY.md");
  private static final Path NOTES = Path.of("charts/wordpress-ha/templates/NOTES.txt");
  private static final Pattern SENTENCE_END = Pattern.compile("(?<=[.!?][)*`\"]{0,3})\\s+(?=[A-Z`*(\\[])");
  private static final Pattern LIST_ITEM = Pattern.compile("^(?:- |\\d+\\. )");
  private static final Pattern TEMPLATE_ACTIONS = Pattern.compile("^(?:\\{\\{[^}]*}})+$");

  private Promises() {}

  /** By document, in the order of the text. */
  static Map<String, List<String>> all() {
    var all = new LinkedHashMap<String, List<String>>();
    for (String document : DOCUMENTS) {
      all.put(document, markdown(TextFiles.read(Path.of(document))));
    }
    all.put(NOTES.getFileName().toString(), template(TextFiles.read(NOTES)));
    all.put(VALUES, new ValueSpace().entries().stream().map(ValuesReference.Entry::path).toList());
    return all;
  }

  /** Headings, sentences, rows of tables without their headers, and blocks of code; white space is one space. */
  static List<String> markdown(String text) {
    var found = new ArrayList<String>();
    for (String block : blocks(text.lines().toList())) {
      if (block.startsWith("```") || block.startsWith("    ") || block.startsWith("#") || block.startsWith("|")) {
        found.add(normalized(block));
      } else {
        SENTENCE_END.splitAsStream(normalized(LIST_ITEM.matcher(block).replaceFirst(""))).forEach(found::add);
      }
    }
    return found.stream().distinct().toList();
  }

  private static List<String> blocks(List<String> lines) {
    var blocks = new ArrayList<String>();
    var block = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      boolean fenced = block.toString().startsWith("```");
      if (!fenced && beginsBlock(line, block.toString())) {
        flush(block, blocks);
      }
      boolean tableHeader = line.startsWith("|") && i + 1 < lines.size() && lines.get(i + 1).startsWith("|---");
      if (!tableHeader && !line.startsWith("|---")) {
        block.append(line).append('\n');
      }
      if (fenced && line.startsWith("```")) {
        flush(block, blocks);
      }
    }
    flush(block, blocks);
    return blocks;
  }

  private static boolean beginsBlock(String line, String block) {
    boolean insideCode = block.startsWith("    ") && line.startsWith("    ");
    return !insideCode && (line.isBlank() || line.startsWith("#") || line.startsWith("|") || line.startsWith("```")
        || LIST_ITEM.matcher(line).find() || block.startsWith("#") || block.startsWith("|"));
  }

  private static void flush(StringBuilder block, List<String> blocks) {
    String text = block.toString().replaceFirst("^\\n+", "");
    if (!text.isBlank()) {
      blocks.add(text);
    }
    block.setLength(0);
  }

  /** Lines of a Go template that print something. */
  private static List<String> template(String text) {
    return text.lines().map(Promises::normalized)
        .filter(line -> !line.isEmpty() && !TEMPLATE_ACTIONS.matcher(line).matches())
        .distinct().toList();
  }

  private static String normalized(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
