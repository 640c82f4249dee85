import { z } from 'zod';

// Must run before any schema is built: zod otherwise probes `new Function`, which the content security policy reports.
z.config({ jitless: true });
