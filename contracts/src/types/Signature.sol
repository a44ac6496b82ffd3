// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A key's signature, or a contract wallet's by ERC-1271.
/// @dev OpenZeppelin's `SignatureChecker` needs Cancun's `mcopy`, and it looks for a wallet first:
/// recovering first saves the cold access to an account that has no code.
library Signature {
    function isValid(address signer, bytes32 digest, bytes memory signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        return (failure == ECDSA.RecoverError.NoError && recovered == signer) || _byWallet(signer, digest, signature);
    }

    function _byWallet(address signer, bytes32 digest, bytes memory signature) private view returns (bool) {
        (bool success, bytes memory answer) =
            signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return success && answer.length >= 32 && abi.decode(answer, (bytes32)) == IERC1271.isValidSignature.selector;
    }
}
