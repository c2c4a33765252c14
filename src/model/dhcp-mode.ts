/**
 * What a domain's DHCP server hands out.
 * - `bootstrap`: a private lease that the host translates, so that any installer gets on line.
 * - `public`: the domain's public address itself; nothing is configured in the guest.
 * - `off`: no server.
 */
export const DHCP_MODES = ['bootstrap', 'public', 'off'] as const;
export type DhcpMode = (typeof DHCP_MODES)[number];

export const isDhcpMode = (text: string): text is DhcpMode => DHCP_MODES.some(mode => mode === text);

/** A domain's own mode as a property that is there or isn't; without one the configuration's holds. */
export const ownMode = (dhcp: DhcpMode | undefined): { readonly dhcp?: DhcpMode } =>
  dhcp === undefined ? {} : { dhcp };
