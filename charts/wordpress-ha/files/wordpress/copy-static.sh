#!/usr/bin/env bash
# Gives nginx the part of WordPress that is not PHP: PHP runs from its own image, where nothing can change it.
set -euo pipefail

cd "${SOURCE:-/usr/src/wordpress}"
target=${TARGET:-/static}
find wp-admin wp-includes -type d -print0 | (cd "$target" && xargs -0 mkdir -p)
# A container that is started again finds the copy of its predecessor, perhaps half of it: all of it is written anew. Times stay, as every pod
# has to give a file the same ETag.
find wp-admin wp-includes ! -type d ! -name '*.php' -print0 | xargs -0 cp -P --parents --remove-destination --preserve=mode,timestamps -t "$target"
# Of PHP files only the names, empty: so nginx knows which of them exist.
{ find . -maxdepth 1 -name '*.php' -print0; find wp-admin wp-includes -name '*.php' -print0; } | (cd "$target" && xargs -0 touch)
ln -sfn /code/current "$target/wp-content"
echo "Copied $(find "$target" -type f | wc -l) files."
