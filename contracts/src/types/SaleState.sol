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

using {
    buyer,
    status,
    attempt,
    refundableAt,
    device,
    isIn,
    isOwnedBy,
    withStatus,
    released,
    aborted,
    revoked
} for Packed global;

uint256 constant STATUS = 160;
uint256 constant ATTEMPT = 168;
uint256 constant REFUNDABLE_AT = 192;
uint256 constant DEVICE = 232;
uint256 constant LAST_ATTEMPT = type(uint24).max;

function buyer(Packed state) pure returns (address) {
    return address(uint160(Packed.unwrap(state)));
}

function status(Packed state) pure returns (Status) {
    return Status(uint8(Packed.unwrap(state) >> STATUS));
}

function attempt(Packed state) pure returns (uint256) {
    return uint24(Packed.unwrap(state) >> ATTEMPT);
}

function refundableAt(Packed state) pure returns (uint256) {
    return uint40(Packed.unwrap(state) >> REFUNDABLE_AT);
}

function device(Packed state) pure returns (uint256) {
    return Packed.unwrap(state) >> DEVICE;
}

function isIn(Packed state, Status status_) pure returns (bool) {
    return uint8(Packed.unwrap(state) >> STATUS) == uint256(status_);
}

/// @dev Sold, and to this buyer.
function isOwnedBy(Packed state, address buyer_) pure returns (bool) {
    return uint168(Packed.unwrap(state)) == uint256(Status.Sold) << STATUS | uint160(buyer_);
}

/// @dev The first state that is not zero; `refundableAt_` is below 2^40.
function sold(address buyer_, uint256 refundableAt_) pure returns (Packed) {
    return Packed.wrap(refundableAt_ << REFUNDABLE_AT | uint256(Status.Sold) << STATUS | uint160(buyer_));
}

function withStatus(Packed state, Status status_) pure returns (Packed) {
    return Packed.wrap(Packed.unwrap(state) & ~(uint256(0xff) << STATUS) | uint256(status_) << STATUS);
}

/// @dev From Sold, where no device is set; `device_` is below 2^24.
function released(Packed state, uint256 device_) pure returns (Packed) {
    return Packed.wrap(Packed.unwrap(state.withStatus(Status.Releasing)) | device_ << DEVICE);
}

/// @dev From Releasing, below the last attempt.
function aborted(Packed state) pure returns (Packed) {
    uint256 cleared = Packed.unwrap(state.withStatus(Status.Sold)) & (1 << DEVICE) - 1;
    return Packed.wrap(cleared).revoked();
}

/// @dev Below the last attempt, so that nothing is carried into the next field.
function revoked(Packed state) pure returns (Packed) {
    return Packed.wrap(Packed.unwrap(state) + (1 << ATTEMPT));
}
