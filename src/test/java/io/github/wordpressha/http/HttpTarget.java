package io.github.wordpressha.http;

import io.github.wordpressha.http.Row.Step;

/** A site that the rows of {@code src/test/resources/http} are run against: nginx and php-fpm on this machine, or a release on a cluster. */
public interface HttpTarget extends AutoCloseable {

  /** The answer to the step's request. */
  Answer send(Step step);

  /** Makes a page another: {@code missing}, {@code locked}, {@code cookie}, ... as the site's front controller lists them. */
  void change(String page, String kind);

  /** Takes the database away, or gives it back. */
  void database(boolean available);

  @Override
  void close();
}
