#!/usr/bin/python
# Copyright: the hnet contributors. Licence: MIT
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: hnet_address
short_description: Gives a libvirt domain public addresses of hnet, or takes them
description:
  - Built on C(hnet assign) and C(hnet unassign). A running domain has the change at once.
  - Other addresses of the domain stay.
options:
  domain:
    description: Name or UUID of the domain.
    type: str
    required: true
  addresses:
    description:
      - Addresses or subnets of the pools.
      - "None: with O(state=present) the first free one of each family, if the domain has none; with O(state=absent) all."
    type: list
    elements: str
    default: []
  state:
    description: Whether the domain has them.
    type: str
    choices: [present, absent]
    default: present
author:
  - hnet contributors (@hnet-project)
"""

EXAMPLES = r"""
- name: Give vm1 its address
  hnet_project.hnet.hnet_address:
    domain: vm1
    addresses: [123.45.90.116]

- name: Take all addresses from vm2
  hnet_project.hnet.hnet_address:
    domain: vm2
    state: absent
"""

RETURN = r"""
before:
  description: The domain before the change, as the JSON schema of hnet assign says.
  type: dict
  returned: if something was asked to change
after:
  description: The domain after the change; in check mode what it would be.
  type: dict
  returned: if something was asked to change
"""

import ipaddress
import json

from ansible.module_utils.basic import AnsibleModule


def hnet(module, *words):
    """What hnet answers programs; its refusal is the task's."""
    code, stdout, stderr = module.run_command(["hnet"] + list(words))
    try:
        answer = json.loads(stdout)
    except ValueError:
        module.fail_json(msg="Cannot run hnet %s: %s" % (" ".join(words), stderr.strip() or "it said nothing"), rc=code)
    for warning in answer.get("warnings", []):
        module.warn(warning)
    if "error" in answer:
        module.fail_json(msg=answer["error"], rc=code)
    return answer


def network(module, text):
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        module.fail_json(msg="Cannot read the address %s: %s" % (text, error))


def words_for(module):
    """The command that makes the change; None where nothing is to be taken."""
    wanted = module.params["addresses"]
    domain = module.params["domain"]
    if module.params["state"] == "present":
        return ["assign", domain] + wanted
    shown = hnet(module, "status", domain, "--json")["domains"]
    held = [row["address"] for one in shown for row in one["addresses"]]
    if not wanted:
        return ["unassign", domain, "--all"] if held else None
    asked = [network(module, text) for text in wanted]
    gone = [text for text in held if network(module, text) in asked]
    return ["unassign", domain] + gone if gone else None


def main():
    module = AnsibleModule(
        argument_spec=dict(
            domain=dict(type="str", required=True),
            addresses=dict(type="list", elements="str", default=[]),
            state=dict(type="str", choices=["present", "absent"], default="present"),
        ),
        supports_check_mode=True,
    )
    words = words_for(module)
    if words is None:
        module.exit_json(changed=False)
    answer = hnet(module, *(words + (["--dry-run"] if module.check_mode else []) + ["--json"]))
    before, after = answer["before"], answer["after"]
    module.exit_json(changed=answer["changed"], before=before, after=after, diff=dict(before=before, after=after))


if __name__ == "__main__":
    main()
