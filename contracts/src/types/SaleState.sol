// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Status} from "./Status.sol";

/// @notice All that changes in a sale: slot 0, the only one, so that one storage proof tells all.
/// @param buyer Zero until bought.
/// @param status Where the sale stands.
/// @param attempt How often a voucher died by `revoke` or `abort`; a voucher is bound to one attempt.
/// @param refundableAt From this second on the buyer may take the escrow back; 0 in an instant sale.
/// @param device The id of the releasing device; 0 until released.
struct SaleState {
    address buyer;
    Status status;
    uint24 attempt;
    uint40 refundableAt;
    uint24 device;
}

/// @notice The same in one word, as it lies in the slot: the compiler would write the slot once a field.
type Packed is uint256;

using State for Packed global;

/// @notice Reads and makes the word.
library State {
    uint256 internal constant LAST_ATTEMPT = type(uint24).max;

    uint256 private constant STATUS = 160;
    uint256 private constant ATTEMPT = 168;
    uint256 private constant REFUNDABLE_AT = 192;
    uint256 private constant DEVICE = 232;

    function buyer(Packed state) internal pure returns (address) {
        return address(uint160(Packed.unwrap(state)));
    }

    function status(Packed state) internal pure returns (Status) {
        return Status(uint8(Packed.unwrap(state) >> STATUS));
    }

    function attempt(Packed state) internal pure returns (uint256) {
        return uint24(Packed.unwrap(state) >> ATTEMPT);
    }

    function refundableAt(Packed state) internal pure returns (uint256) {
        return uint40(Packed.unwrap(state) >> REFUNDABLE_AT);
    }

    function device(Packed state) internal pure returns (uint256) {
        return Packed.unwrap(state) >> DEVICE;
    }

    function isIn(Packed state, Status status_) internal pure returns (bool) {
        return uint8(Packed.unwrap(state) >> STATUS) == uint256(status_);
    }

    /// @dev Sold, and to this buyer.
    function isOwnedBy(Packed state, address buyer_) internal pure returns (bool) {
        return uint168(Packed.unwrap(state)) == uint256(Status.Sold) << STATUS | uint160(buyer_);
    }

    /// @dev The first state that is not zero; `refundableAt_` is below 2^40.
    function sold(address buyer_, uint256 refundableAt_) internal pure returns (Packed) {
        return Packed.wrap(refundableAt_ << REFUNDABLE_AT | uint256(Status.Sold) << STATUS | uint160(buyer_));
    }

    function withStatus(Packed state, Status status_) internal pure returns (Packed) {
        return Packed.wrap(Packed.unwrap(state) & ~(uint256(0xff) << STATUS) | uint256(status_) << STATUS);
    }

    /// @dev From Sold, where no device is set; `device_` is below 2^24.
    function released(Packed state, uint256 device_) internal pure returns (Packed) {
        return Packed.wrap(Packed.unwrap(state.withStatus(Status.Releasing)) | device_ << DEVICE);
    }

    /// @dev From Releasing, below the last attempt.
    function aborted(Packed state) internal pure returns (Packed) {
        uint256 cleared = Packed.unwrap(state.withStatus(Status.Sold)) & (1 << DEVICE) - 1;
        return Packed.wrap(cleared).revoked();
    }

    /// @dev Below the last attempt, so that nothing is carried into the next field.
    function revoked(Packed state) internal pure returns (Packed) {
        return Packed.wrap(Packed.unwrap(state) + (1 << ATTEMPT));
    }
}
