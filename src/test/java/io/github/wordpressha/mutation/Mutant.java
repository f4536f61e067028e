package io.github.wordpressha.mutation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One seeded fault: one line of one file of the chart, changed or deleted as people do by mistake.
 *
 * @param operator the kind of mistake
 * @param file in the chart
 * @param line number, from 1
 * @param before the line as it is
 * @param after the line as it becomes; null deletes it
 */
record Mutant(String operator, Path file, int line, String before, String after) {

  private static final Map<String, Operator> OPERATORS = operators();

  /** How a kind of mistake is made: where it applies, and what becomes of the match. */
  private record Operator(Pattern pattern, java.util.function.Function<MatchResult, String> change) {}

  /** All mutants of a file, by kind of mistake. */
  static List<Mutant> of(Path file, String text) {
    var mutants = new ArrayList<Mutant>();
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.strip().startsWith("#") || line.contains("{{/*")) {
        continue;
      }
      for (var operator : OPERATORS.entrySet()) {
        Matcher matcher = operator.getValue().pattern().matcher(line);
        while (matcher.find()) {
          String replacement = operator.getValue().change().apply(matcher);
          String after = replacement == null ? null : line.substring(0, matcher.start()) + replacement + line.substring(matcher.end());
          mutants.add(new Mutant(operator.getKey(), file, i + 1, line, after));
        }
      }
    }
    return mutants;
  }

  /** The file with the fault in it. */
  String applyTo(String text) {
    var lines = new ArrayList<>(text.lines().toList());
    if (after == null) {
      lines.remove(line - 1);
    } else {
      lines.set(line - 1, after);
    }
    return String.join("\n", lines) + "\n";
  }

  private static Map<String, Operator> operators() {
    var all = new LinkedHashMap<String, Operator>();
    UnaryOperator<String> typo = word -> word.substring(0, 2) + word.substring(3);
    add(all, "typo in a field", "(?<=^ {0,30}(?:- )?)([a-z][A-Za-z]{3,})(?=:(?: |$))", m -> typo.apply(m.group()));
    add(all, "typo in a field of an inline map", "(?<=[{] ?|, )([a-z][A-Za-z]{3,})(?=: )", m -> typo.apply(m.group()));
    add(all, "wrong target port", "(?<=targetPort: )[a-z-]+", m -> m.group() + "x");
    add(all, "wrong probe port", "(?<=, port: )[a-z-]+(?=})", m -> m.group() + "x");
    add(all, "wrong container port", "(?<=containerPort: )\\d+", m -> String.valueOf(Integer.parseInt(m.group()) + 7));
    add(all, "wrong selector", "(?<=selectorLabels\" \\(list \\. \")[a-z]+(?=\")", m -> m.group() + "x");
    add(all, "wrong name of a reference", "(?<=(?:serviceName|serviceAccountName|claimName|secretName): )\\S.*\\S", m -> m.group() + "-x");
    add(all, "wrong secret key", "(?<=key: )[a-z]+-[a-z-]+", m -> m.group() + "x");
    add(all, "bad enum", "(?<=(?:restartPolicy|podManagementPolicy|pathType|whenUnsatisfiable|fsGroupChangePolicy|protocol): )[A-Z][A-Za-z]+", m -> m.group() + "s");
    add(all, "bad quantity", "(?<=(?:memory|sizeLimit|cpu): )\\d+(?:Mi|Gi|m)\\b", m -> m.group() + "b");
    add(all, "number in quotes", "(?<=(?:Seconds|failureThreshold|containerPort|port|weight|backoffLimit|minAvailable): )\\d+(?=\\s*$|[,}])", m -> "\"" + m.group() + "\"");
    add(all, "boolean in quotes", "(?<=: )(?:true|false)\\s*$", m -> "\"" + m.group().strip() + "\"");
    add(all, "wrong volume of a mount", "(?<=[{]name: )[a-z-]+(?=, mountPath)", m -> m.group() + "x");
    add(all, "wrong mount path", "(?<=mountPath: )/[a-z/.-]+", m -> m.group() + "x");
    add(all, "wrong script", "(?<=/)[a-z-]+(?=\\.(?:sh|php)\\b)", m -> m.group() + "x");
    add(all, "missing hardening", "^\\s*(?:runAsNonRoot: true|readOnlyRootFilesystem: true|allowPrivilegeEscalation: false|drop: \\[ALL]|clusterIP: None|type: RuntimeDefault)\\s*$", m -> null);
    add(all, "missing field", "^\\s*(?:- )?(?:image|serviceName|serviceAccountName|restartPolicy|apiVersion|kind|configMap|topologyKey|clusterIP|accessModes|maxUnavailable): \\S.*$", m -> null);
    add(all, "wrong version of an API", "(?<=apiVersion: )(?:apps|batch|policy|networking\\.k8s\\.io|autoscaling|rbac\\.authorization\\.k8s\\.io)/v\\d", m -> m.group() + "beta1");
    add(all, "wrong kind", "(?<=^kind: )[A-Z][A-Za-z]+", m -> m.group() + "s");
    add(all, "unbalanced template", "\\{\\{- end }}", m -> "");
    return all;
  }

  private static void add(Map<String, Operator> all, String name, String pattern, java.util.function.Function<MatchResult, String> change) {
    all.put(name, new Operator(Pattern.compile(pattern), change));
  }
}
