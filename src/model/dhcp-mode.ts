/**
 * What a domain's DHCP server hands out.
 * - `bootstrap`: a private lease that the host translates, so that any installer gets on line.
 * - `public`: the domain's public address itself; nothing is configured in the guest.
 * - `off`: no server.
 */
export const DHCP_MODES = ['bootstrap', 'public', 'off'] as const;
export type DhcpMode = (typeof DHCP_MODES)[number];

export const isDhcpMode = (text: string): text is DhcpMode => DHCP_MODES.some(mode => mode === text);

/** What a domain itself says of its DHCP server; of what it doesn't say, the configuration's holds. */
export interface OwnDhcp {
  readonly dhcp?: DhcpMode;
  /** What its boot ROMs load. */
  readonly boot?: string;
}

/** Each of them as a property that is there or isn't. */
export const ownDhcp = ({
  dhcp,
  boot,
}: { readonly [K in keyof OwnDhcp]: OwnDhcp[K] | undefined }): OwnDhcp => ({
  ...(dhcp === undefined ? {} : { dhcp }),
  ...(boot === undefined ? {} : { boot }),
});
