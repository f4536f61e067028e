package io.github.wordpressha.cli;

/** How results are printed. */
enum Format {
  text,
  json,
  sarif
}
