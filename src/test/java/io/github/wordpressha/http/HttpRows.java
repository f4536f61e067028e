package io.github.wordpressha.http;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.wordpressha.http.Row.Table;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;

/** The rows of {@code src/test/resources/http} as tests, wherever the site runs. */
public final class HttpRows {

  /** Of the account {@code admin}. */
  public static final String PASSWORD = "the-right-password";
  /** The other keys of the Secret that holds it. */
  public static final List<String> SALTS = List.of("auth-key", "secure-auth-key", "logged-in-key", "nonce-key", "auth-salt", "secure-auth-salt",
      "logged-in-salt", "nonce-salt");

  private HttpRows() {}

  /** @param target brings up the site that a table is about; it is asked for each row */
  public static Stream<DynamicContainer> of(List<Table> tables, Function<Table, HttpTarget> target) {
    return tables.stream().map(table -> dynamicContainer(table.name(), table.rows().stream().map(row -> dynamicTest(row.name(), () -> {
      HttpTarget site = target.apply(table);
      for (Row.Step step : row.steps()) {
        step.run(site);
      }
    }))));
  }
}
