/** The memory that a process holds, by its /proc/PID/status (proc(5)), in megabytes. */
export const residentIn = (status: string): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
