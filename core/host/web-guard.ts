import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is refused: an HTTP status with words for a person. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

export interface Guard {
  readonly token: string;
  readonly port: number;
}

/**
 * The names under which a page may reach this host. Another name in the Host header means that somebody's domain was
 * made to point here (DNS rebinding).
 */
function hostNames(port: number): string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`);
}

/** Checks that hold for every request: it is addressed to this host, and a page of another origin did not make it. */
export function checkAddress(request: IncomingMessage, { port }: Guard): Refusal | undefined {
  const { host, origin } = request.headers;
  const names = hostNames(port);
  if (host === undefined || !names.includes(host.toLowerCase())) {
    return { status: 403, message: `This host is not ${host ?? 'named'}.` };
  }
  if (origin !== undefined && origin !== `http://${host.toLowerCase()}`) {
    return { status: 403, message: `Pages of ${origin} may not use this host.` };
  }
  return undefined;
}

/** Further checks for what acts or reads: the token, and for anything but a plain GET the page's own origin. */
export function checkCaller(request: IncomingMessage, url: URL, guard: Guard): Refusal | undefined {
  if (!sameText(url.searchParams.get('token') ?? '', guard.token)) {
    return {
      status: 401,
      message: 'The token is missing or wrong. Open the address that `whittle serve` printed.',
    };
  }
  const acts = request.method !== 'GET' || request.headers.upgrade !== undefined;
  if (acts && request.headers.origin === undefined) {
    return { status: 403, message: 'The request does not say which page made it (no Origin).' };
  }
  return undefined;
}

/** Compares in constant time. */
function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Headers of every answer. The page runs only what this host serves and speaks only to it. */
export function securityHeaders(): Record<string, string> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      "worker-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}
