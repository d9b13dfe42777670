#!/usr/bin/env bash
# Installs the perfgate of this release on a runner. checksums.txt, which the release's commit has beside this
# script, says which version that is and what its archives are.
#
# It reads RUNNER_OS, RUNNER_ARCH, RUNNER_TEMP and DOWNLOAD_URL, and writes to GITHUB_PATH and GITHUB_OUTPUT. It keeps
# to what the bash of macOS has, which is of 2007.
set -euo pipefail

fail() {
  printf '::error title=perfgate::%s\n' "$*"
  exit 1
}

# native and posix translate paths on Windows, where the runner's are C:\a and bash's are /c/a.
native() { if [[ $RUNNER_OS == Windows ]]; then cygpath --windows "$1"; else printf '%s\n' "$1"; fi; }
posix() { if [[ $RUNNER_OS == Windows ]]; then cygpath --unix "$1"; else printf '%s\n' "$1"; fi; }

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum --algorithm 256 <"$1"; fi | cut -d ' ' -f 1
}

case $RUNNER_OS in
  Linux) os=linux ;;
  macOS) os=darwin ;;
  Windows) os=windows ;;
  *) fail "there is no perfgate for $RUNNER_OS" ;;
esac
case $RUNNER_ARCH in
  X64) arch=amd64 ;;
  ARM64) arch=arm64 ;;
  *) fail "there is no perfgate for $RUNNER_ARCH, only for X64 and ARM64" ;;
esac
# A line end would forge another line of GITHUB_PATH.
case $RUNNER_TEMP in *$'\n'*) fail "RUNNER_TEMP has a line end in it" ;; esac

sums=$(dirname "${BASH_SOURCE[0]}")/checksums.txt
[[ -e $sums ]] || fail "this commit of the action is no release: name the commit or the tag of one"
line=$(grep -E "_${os}_${arch}\\.tar\\.gz\$" "$sums" || true)
[[ $line =~ ^([0-9a-f]{64})\ \ (perfgate_([0-9A-Za-z.-]+)_${os}_${arch}\.tar\.gz)$ ]] ||
  fail "the action's checksums.txt does not have one line for $os and $arch"
want=${BASH_REMATCH[1]} archive=${BASH_REMATCH[2]} version=v${BASH_REMATCH[3]}

dir=$(posix "$RUNNER_TEMP")/perfgate-$version
mkdir -p "$dir"
curl --fail --silent --show-error --location --retry 3 --max-time 300 --proto '=http,https' --proto-redir '=https' \
  --output "$dir/$archive" "$DOWNLOAD_URL/$version/$archive" || fail "cannot download $DOWNLOAD_URL/$version/$archive"
got=$(sha256 "$dir/$archive")
if [[ $got != "$want" ]]; then
  rm -f "$dir/$archive"
  fail "$archive has the checksum $got, and not $want, which is committed with the action"
fi
(cd "$dir" && tar -xzf "$archive") || fail "cannot unpack $archive"
rm -f "$dir/$archive"
said=$("$dir/perfgate" version) || fail "$archive does not run on this machine"
[[ $said == "perfgate $version "* ]] || fail "$archive holds $said, and not $version"

native "$dir" >>"$GITHUB_PATH"
printf 'version=%s\n' "$version" >>"$GITHUB_OUTPUT"
printf '%s\n' "$said"
