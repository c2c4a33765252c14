#!/bin/sh
# A Node.js of hnet's own is there where the system has none, or an old one.
node=/usr/bin/hnet-node
[ -x $node ] || node=/usr/bin/node
exec $node /usr/lib/hnet/hnet.cjs "$@"
