/** Every text of the page, through Cockpit's gettext. What hnet says is shown as it says it. */
import { cockpit } from './door/cockpit.ts';

const { gettext: _, ngettext, format } = cockpit;

export const texts = {
  title: _('VM addresses'),
  waiting: _('Looking at this host …'),
  overview: _('Overview'),
  domain: _('VM'),
  state: _('State'),
  address: _('Address'),
  bridge: _('Bridge'),
  lease: _('Lease'),
  policy: _('Rules'),
  health: _('Health'),
  ok: _('ok'),
  running: _('running'),
  stopped: _('stopped'),
  free: (free: number, size: number) => format(_('$0 of $1 free'), free, size),
  domains: (count: number) => format(ngettext('$0 VM', '$0 VMs', count), count),
};
