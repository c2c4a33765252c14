#!/usr/bin/python
# Copyright: the hnet contributors. Licence: MIT
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: hnet_config
short_description: Sets keys of hnet.toml
description:
  - Everything else of the file stays, comments too. The result is parsed before it is written.
  - Run C(hnet sync) after a change.
options:
  settings:
    description: Keys and their values; a dictionary is a section with its keys.
    type: dict
    required: true
  path:
    description: The file.
    type: path
    default: /etc/hnet/hnet.toml
requirements:
  - Python 3.11 or newer
author:
  - hnet contributors (@hnet-project)
"""

EXAMPLES = r"""
- name: Set name servers
  hnet_project.hnet.hnet_config:
    settings:
      dhcp:
        dns: [9.9.9.9]
"""

RETURN = r""" # """

import json
import re

from ansible.module_utils.basic import AnsibleModule

try:
    import tomllib
except ImportError:
    tomllib = None

HEADER = re.compile(r"^\s*\[", re.MULTILINE)


def section_of(text, name):
    """Begin and end of a section; that of the keys before all sections has no name. None if it isn't there."""
    if name is None:
        begin = 0
    else:
        header = re.search(r"^\s*\[%s\][^\n]*\n?" % re.escape(name), text, re.MULTILINE)
        if header is None:
            return None
        begin = header.end()
    following = HEADER.search(text, begin)
    return begin, following.start() if following else len(text)


def value_end(text, begin, end):
    """Where the value ends that begins there: the first line end up to which it can be parsed."""
    at = begin
    while True:
        at = text.find("\n", at + 1, end)
        stop = end if at == -1 else at
        try:
            tomllib.loads("x = " + text[begin:stop])
            return stop
        except tomllib.TOMLDecodeError:
            if at == -1:
                raise ValueError("a value in it does not end")


def with_key(text, section, key, value):
    """The text with a key set: in its place, or after the line that has it as a comment, or at the section's end."""
    line = "%s = %s" % (key, json.dumps(value, ensure_ascii=False))
    found = section_of(text, section)
    if found is None:
        return "%s\n[%s]\n%s\n" % (text if text.endswith("\n") or not text else text + "\n", section, line)
    begin, end = found
    present = re.compile(r"^[ \t]*%s[ \t]*=[ \t]*" % re.escape(key), re.MULTILINE).search(text, begin, end)
    if present is not None:
        return text[: present.start()] + line + text[value_end(text, present.end(), end):]
    commented = re.compile(r"^#[ \t]*%s[ \t]*=[^\n]*\n" % re.escape(key), re.MULTILINE).search(text, begin, end)
    at = commented.end() if commented else begin if section else begin + len(text[begin:end].rstrip("\n"))
    before = text[:at]
    return before + ("" if not before or before.endswith("\n") else "\n") + line + "\n" + text[at:]


def flat(settings):
    for name, value in settings.items():
        if isinstance(value, dict):
            for key, inner in value.items():
                yield name, key, inner
        else:
            yield None, name, value


def value_of(data, section, key):
    return (data if section is None else data.get(section, {})).get(key)


def changed_text(text, settings):
    for section, key, value in flat(settings):
        if value_of(tomllib.loads(text), section, key) != value:
            text = with_key(text, section, key, value)
    data = tomllib.loads(text)
    for section, key, value in flat(settings):
        if value_of(data, section, key) != value:
            raise ValueError("%s cannot be set there by a program; set it by hand" % key)
    return text


def main():
    module = AnsibleModule(
        argument_spec=dict(
            settings=dict(type="dict", required=True),
            path=dict(type="path", default="/etc/hnet/hnet.toml"),
        ),
        supports_check_mode=True,
    )
    path = module.params["path"]
    if tomllib is None:
        module.fail_json(msg="Cannot change %s: this Python has no tomllib; install Python 3.11 or newer" % path)
    try:
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = changed_text(before, module.params["settings"])
    except (OSError, ValueError) as error:
        module.fail_json(msg="Cannot change %s: %s" % (path, error))
    if after != before and not module.check_mode:
        write(module, path, after)
    diff = dict(before=before, after=after, before_header=path, after_header=path)
    module.exit_json(changed=after != before, diff=diff)


def write(module, path, text):
    import os
    import tempfile

    handle, half = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    module.atomic_move(half, path)


if __name__ == "__main__":
    main()
