#!/usr/bin/env bash
# Installs Gridwright (格匠) from the archive this file lies in; asks no network for anything.
#
#   ./install.sh                     into /opt/gridwright, the version before kept beside it
#   ./install.sh --prefix DIR        elsewhere
#   ./install.sh --python PROGRAM    with this Python
#   ./install.sh --check             look whether it could be installed, and change nothing
#   ./install.sh --roll-back         back to the version before
#
# DIR/versions/VERSION is a version, DIR/current a link to the one in use, DIR/previous to the one
# before. Exit codes: 0 done; 2 this machine or this archive will not do, nothing was changed; 3 the
# installation itself failed, and the version in use is what it was.
set -euo pipefail

refuse() { # refuse 中文 ENGLISH
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 2
}

say() {
    printf '%s %s\n' "$1" "$2"
}

prefix=/opt/gridwright
python=
task=install
while [ "$#" -gt 0 ]; do
    case $1 in
    --prefix | --python)
        [ "$#" -gt 1 ] || refuse "$1 后面缺少参数。" "$1 needs a value."
        [ "$1" = --prefix ] && prefix=$2 || python=$2
        shift
        ;;
    --check) task=check ;;
    --roll-back) task=roll-back ;;
    -h | --help)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
        exit 0
        ;;
    *) refuse "不认识的参数:$1。" "Unknown argument: $1 (--help lists them)." ;;
    esac
    shift
done
case $prefix in
/*) ;;
*) refuse "--prefix 必须是以 / 开头的完整路径。" "--prefix must be a full path that begins with /." ;;
esac

point() { # point LINK VERSION: at once, so that no moment is without a version
    ln -s "versions/$2" "$prefix/.$1.new"
    mv -T "$prefix/.$1.new" "$prefix/$1"
}

named() { # the version a link leads to; nothing where there is none
    [ -L "$prefix/$1" ] && basename "$(readlink "$prefix/$1")" || true
}

complete() {
    [ -n "$1" ] && [ -e "$prefix/versions/$1/complete" ]
}

if [ "$task" = roll-back ]; then
    now=$(named current)
    before=$(named previous)
    complete "$before" || refuse "没有可以退回的上一版本。" "There is no version before to go back to in $prefix."
    point current "$before"
    point previous "$now"
    say "已从 $now 退回到 $before;请重新启动服务:" "Went back from $now to $before; restart the service: systemctl restart gridwright"
    say "若新版本升级过数据文件,须先恢复升级前的备份(见 deploy.md)。" "Where the newer version had brought the store to a newer format, restore the backup first (deploy.md)."
    exit 0
fi

here=$(cd "$(dirname "$0")" && pwd)
cd "$here"

# --- the archive -------------------------------------------------------------------------------
for file in SHA256SUMS MANIFEST requirements.lock app.tar wheels; do
    [ -e "$file" ] || refuse "安装包不完整:缺少 $file;请重新复制。" "The archive is incomplete: $file is missing; copy it again."
done
bad=$(LC_ALL=C sha256sum --quiet --strict -c SHA256SUMS 2>/dev/null | cut -d: -f1 | head -3 | tr '\n' ' ') || true
LC_ALL=C sha256sum --status --strict -c SHA256SUMS 2>/dev/null ||
    refuse "安装包中的文件与 SHA256SUMS 不符:${bad% };请重新复制,不要安装。" \
        "Files of the archive are not what SHA256SUMS says: ${bad% }; copy it again, do not install it."
extra=$(comm -13 <(cut -c67- SHA256SUMS | LC_ALL=C sort) \
    <(find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort) | head -3 | tr '\n' ' ')
[ -z "$extra" ] || refuse "安装包中有不属于它的文件:${extra% };请重新解压到空文件夹。" \
    "There are files that do not belong to the archive: ${extra% }; unpack it again into an empty folder."

fact() {
    sed -n "s/^$1=//p" MANIFEST
}
version=$(fact version)
wanted=$(fact python)

# --- the machine -------------------------------------------------------------------------------
[ "$(uname -s) $(uname -m)" = "Linux $(fact machine)" ] ||
    refuse "此安装包用于 Linux $(fact machine),本机是 $(uname -s) $(uname -m)。" \
        "This archive is for Linux $(fact machine); this machine is $(uname -s) $(uname -m)."
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2) || true
[ -n "$libc" ] && [ "$(printf '%s\n' "$(fact glibc)" "$libc" | sort -V | head -1)" = "$(fact glibc)" ] ||
    refuse "需要 glibc $(fact glibc) 或更新版本,本机是 ${libc:-其他}。" \
        "glibc $(fact glibc) or newer is needed; this machine has ${libc:-another C library}."
asked=$python
# The system's own first: one in somebody's home is out of the service's reach.
[ -n "$python" ] || python=$(PATH=/usr/bin:/usr/local/bin:$PATH command -v "python$wanted" ||
    PATH=/usr/bin:/usr/local/bin:$PATH command -v python3) ||
    refuse "没有找到 Python $wanted。" "Python $wanted was not found; name it with --python."
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=none
[ "$found" = "$wanted" ] ||
    refuse "此安装包用于 Python $wanted,$python 是 $found。" \
        "This archive is for Python $wanted and $python is $found; name another with --python, or use the archive made for it."
base=$("$python" -c 'import os, sys; print(os.path.realpath(sys.base_prefix))')
case $base in
/root/* | /home/*)
    [ -n "$asked" ] || refuse "找到的 Python $wanted 在个人文件夹 $base 中,服务用户无法使用;请安装系统的 Python,或用 --python 指定。" \
        "The only Python $wanted found lies in somebody's home, $base, where the service cannot use it; install the system's, or insist with --python."
    say "注意:$base 在个人文件夹中,服务用户无法使用。" "Mind: $base lies in somebody's home, and the service's user cannot use it."
    ;;
esac
"$python" -c 'import ctypes, sqlite3, ssl, venv' 2>/dev/null ||
    refuse "$python 缺少 venv、sqlite3、ssl 或 ctypes 模块。" \
        "$python lacks one of its modules venv, sqlite3, ssl, ctypes (Debian: the package libpython3-stdlib)."
target=$prefix/versions/$version
! complete "$version" ||
    refuse "$version 已安装在 $target;如要重装,请先删除该文件夹。" \
        "$version is installed in $target already; remove that folder to install it again."
above=$prefix
while [ ! -e "$above" ]; do above=$(dirname "$above"); done
[ -w "$above" ] || refuse "没有写入 $above 的权限;请用 root 运行。" "$above cannot be written to; run this as root."
free=$(df -Pm "$above" | awk 'NR == 2 { print $4 }')
[ "$free" -ge 2000 ] || refuse "$above 只剩 $free MB,需要 2000 MB。" "Only $free MB are free in $above; 2000 are needed."
if [ "$task" = check ]; then
    say "可以安装 $version。" "$version can be installed: archive whole, Python $found, glibc $libc, $free MB free."
    exit 0
fi

# --- the installation --------------------------------------------------------------------------
umask 022
trap 'say "安装失败;正在使用的版本没有改变。" "The installation failed; the version in use is what it was." >&2; exit 3' ERR
# Nothing of this machine's settings for Python or pip has a say.
for name in $(compgen -e | grep -E '^(PIP|PYTHON|UV|NUMBA)_?' || true); do unset "$name"; done
export PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

say "安装 $version 到 $target …" "Installing $version into $target …"
rm -rf "$target" # what an installation that was cut off left
mkdir -p "$target"
tar -xf app.tar --no-same-owner -C "$target"
"$python" -m venv --without-pip "$target/venv"
own=$target/venv/bin/python
pip=(wheels/pip-*.whl) # run out of its own wheel: then no machine needs ensurepip
"$own" "${pip[0]}/pip" install --quiet --no-deps --require-hashes --only-binary :all: \
    --find-links wheels -r requirements.lock
"$own" -m pip install --quiet --no-deps --no-build-isolation --editable "$target/app"
rm -rf "$target/app/build"
"$own" -m pip check >/dev/null
"$own" -m compileall -q "$target/app"
say "编译计算内核 …" "Compiling the kernels …"
(cd "$target/app" && "$own" -m planning.warm && "$own" -m incidents.warm)
"$target/venv/bin/gridwright" --help >/dev/null
cp requirements.lock MANIFEST install.sh "$target/"
cp -r deploy "$target/"
date -u +%Y-%m-%dT%H:%M:%SZ >"$target/complete"

before=$(named current)
if complete "$before"; then point previous "$before"; fi
point current "$version"
trap - ERR
say "已安装 $version${before:+(上一版本 $before 保留,可用 --roll-back 退回)}。" \
    "Installed $version${before:+; $before is kept, and --roll-back goes back to it}: $prefix/current/venv/bin/gridwright"
