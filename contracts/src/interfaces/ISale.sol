// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Status} from "../types/Status.sol";

/// @title One order: goods at a price, bought once, released once
/// @notice `Listed → Sold → Releasing → Released`, or `Cancelled`, or `Refunded`.
/// With a window the sale holds the price in escrow until `complete` or `refund`; without one `buy` pays the seller at once.
interface ISale {
    /// @notice Bought: paid for in full.
    event Sold(address indexed buyer, uint256 price);
    /// @notice Every voucher signed before this attempt is dead.
    event Revoked(address indexed buyer, uint256 attempt);
    /// @notice The voucher of this attempt is consumed; the device opens next.
    event Releasing(address indexed buyer, uint256 indexed device, uint256 attempt);
    /// @notice The device did not open; `attempt` is the one that the next voucher must carry.
    event Aborted(uint256 indexed device, uint256 attempt);
    /// @notice The goods are out.
    event Released(uint256 indexed device);
    /// @notice The seller took the listing back.
    event Cancelled();
    /// @notice The escrow goes back to the buyer.
    event Refunded(address indexed buyer, uint256 amount);
    /// @notice A payout failed; the amount waits for `withdraw`.
    event Undelivered(address indexed to, uint256 amount);
    /// @notice What a payout could not deliver was fetched.
    event Withdrawn(address indexed to, uint256 amount);

    /// @notice Only a listing can be bought or cancelled.
    error NotListed(Status status);
    /// @notice Only a sale that is paid for and not yet released can be released or its voucher revoked.
    error NotSold(Status status);
    /// @notice Only a sale that a device is releasing can be completed or aborted.
    error NotReleasing(Status status);
    /// @notice Nothing to refund in this status, to this caller.
    error NotRefundable(Status status);
    /// @notice The exact price must be sent.
    error WrongPrice(uint256 sent, uint256 price);
    /// @notice The seller refused the ether, so nothing is sold; or the named address did.
    error PayoutRefused(address to, uint256 amount);
    /// @notice The sale takes ether by `buy` only.
    error EtherRefused(address sender, uint256 amount);
    /// @notice Only the seller may.
    error NotSeller(address caller, address seller);
    /// @notice Only the buyer may.
    error NotBuyer(address caller, address buyer);
    /// @notice Only the seller or the buyer may.
    error NotParty(address caller);
    /// @notice The voucher names another buyer than the sale does.
    error WrongBuyer(address given, address buyer);
    /// @notice The voucher's last second is over.
    error VoucherExpired(uint256 expiresAt, uint256 time);
    /// @notice The buyer may take the escrow back from now on, so nothing is released any more.
    error DeadlinePassed(uint256 refundableAt, uint256 time);
    /// @notice The buyer may not take the escrow back yet.
    error RefundTooEarly(uint256 refundableAt, uint256 time);
    /// @notice The caller is no device, or decommissioned, rotated or expired.
    error DeviceNotActive(address caller);
    /// @notice The device opens at another site than the one where the goods are.
    error WrongSite(uint256 deviceSite, uint256 site);
    /// @notice The buyer has not signed this voucher for this attempt.
    error InvalidVoucher(address buyer, uint256 attempt, uint256 expiresAt);
    /// @notice Only the releasing device settles, or, once it is not active, its operator.
    error NotSettler(address caller, uint256 device);
    /// @notice No attempt is left for this call.
    error AttemptsExhausted(uint256 attempt);
    /// @notice An instant sale has no refund.
    error NoEscrow();
    /// @notice No payout of this sale waits for the caller.
    error NothingToWithdraw(Status status, uint256 balance);
    /// @notice A payout failed with less gas than it is entitled to; call again with more.
    error GasTooLow(uint256 available, uint256 required);

    /// @notice Buys the goods for exactly the price. Instant sales pay the seller in the same call and
    /// revert when it refuses; the others hold the price until `complete` or `refund`.
    function buy() external payable;

    /// @notice The seller takes the listing back.
    function cancel() external;

    /// @notice The buyer kills every voucher signed so far.
    function revoke() external;

    /// @notice A device of the site consumes the buyer's voucher. Its door opens only after this.
    /// @param buyer Who bought, as the voucher says it.
    /// @param expiresAt The voucher is good before this second.
    /// @param signature The buyer's, over {voucherDigest}; a contract wallet's by ERC-1271.
    function release(address buyer, uint256 expiresAt, bytes calldata signature) external;

    /// @notice The releasing device reports that its door opened; an escrow is paid out to the seller.
    /// Once the device is decommissioned or expired, the operator of its site reports.
    function complete() external;

    /// @notice The releasing device reports that its door did not open: the buyer may try again with a new voucher.
    /// Once the device is decommissioned or expired, the operator of its site reports.
    function abort() external;

    /// @notice Gives the escrow back to the buyer. The seller may while Sold; the buyer from {refundableAt} on
    /// while Sold, and seven days later while Releasing.
    function refund() external;

    /// @notice Sends what a payout could not deliver to an address that its receiver names:
    /// the seller once Released, the buyer once Refunded.
    function withdraw(address to) external;

    /// @notice Where the sale stands.
    function status() external view returns (Status);

    /// @notice Whether somebody bought and was not refunded.
    function isSold() external view returns (bool);

    /// @notice Whether the goods are paid for by this buyer and not yet released.
    function verifyOwnership(address buyer) external view returns (bool);

    /// @notice The goods and the parties; `owner` is always the seller.
    function getItem()
        external
        view
        returns (
            string memory make,
            string memory model,
            uint256 year,
            uint256 price,
            bool sold,
            address owner,
            address buyer
        );

    /// @notice The serial number.
    function number() external view returns (string memory);

    /// @notice Where the goods are collected.
    function site() external view returns (uint256);

    /// @notice Tells listings of the same goods apart.
    function edition() external view returns (uint256);

    /// @notice Seconds of escrow after `buy`; 0 in an instant sale.
    function window() external view returns (uint256);

    /// @notice The attempt that a voucher must carry.
    function attempt() external view returns (uint256);

    /// @notice From this second on the buyer may take the escrow back; 0 before `buy` and in an instant sale.
    function refundableAt() external view returns (uint256);

    /// @notice The id of the device that released; 0 until then.
    function device() external view returns (uint256);

    /// @notice What the buyer signs, by EIP-712, for the present attempt.
    function voucherDigest(uint256 expiresAt) external view returns (bytes32);

    /// @notice The registry whose devices may release.
    function registry() external view returns (address);
}
