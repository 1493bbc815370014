# Runs a program the way its container does: one writable folder, everything else read-only, a user without a name, and
# no way to gain rights. Wants a mount namespace of its own (unshare --mount).
# Arguments: the writable folder, the program, its arguments.
set -eu
data=$1
shift

mount --make-rprivate /
mount --bind "$data" "$data"
for point in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
    # A space in a path stands there as \040.
    point=$(printf '%b' "$(printf '%s' "$point" | sed 's/\\/\\0/g')")
    [ "$point" = "$data" ] || mount -o remount,bind,ro "$point" 2>/dev/null || true
done

cd /
set -- --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
# In a user namespace there is nobody else to become: there the caller stays who they are, without any capability.
if setpriv --reuid=65532 --regid=65532 --clear-groups true 2>/dev/null; then
    set -- --reuid=65532 --regid=65532 --clear-groups "$@"
fi
exec setpriv "$@"
