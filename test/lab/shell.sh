#!/bin/busybox sh
# The VM's ear on its second serial port: a line is "<id> <command in base64>", the answer is
# "<id> <exit code> <output in base64>". Base64 keeps terminals, newlines and markers out of each other's way.
stty raw -echo </dev/ttyS1
echo HNET-SHELL >/dev/console
while read -r id command; do
	echo "$command" | base64 -d >/run/command
	sh /run/command >/run/output 2>&1 </dev/null
	echo "$id $? $(base64 -w0 /run/output)"
done
