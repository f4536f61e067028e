package io.github.wordpressha.http;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.wordpressha.http.Row.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The rows of {@code src/test/resources/http} against nginx and php-fpm on this machine, some with WordPress's core and a database: no cluster. */
@Tag("http")
@Execution(ExecutionMode.CONCURRENT)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HttpTableTest {

  private final Map<String, HttpTarget> targets = new HashMap<>();
  private final List<LocalCore> cores = new ArrayList<>();
  @TempDir Path directory;

  @AfterAll
  void stop() {
    targets.values().forEach(HttpTarget::close);
    cores.forEach(LocalCore::close);
  }

  @TestFactory
  @DisplayName("every visitor gets the right answer")
  Stream<DynamicContainer> rows() {
    LocalSite.missing().ifPresent(reason -> assumeTrue(false, reason));
    return HttpRows.of(Table.all(LocalSite.RESOURCES), this::target);
  }

  private synchronized HttpTarget target(Table table) {
    if (table.core()) {
      LocalCore.missing().ifPresent(reason -> assumeTrue(false, reason));
    }
    return targets.computeIfAbsent(table.name(), name -> {
      try {
        Path place = Files.createDirectories(directory.resolve(name));
        if (!table.core()) {
          return LocalSite.start(place, table.values());
        }
        var core = new LocalCore(place);
        cores.add(core);
        return core.pod(table.values());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }
}
