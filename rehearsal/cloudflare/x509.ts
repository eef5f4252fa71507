/** Loads the X.509 library with its polyfill and with Node's cryptography. */
import "./reflect.ts";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

export { x509 };
